//go:build cgo && (linux || darwin) && (amd64 || arm64)

package core

// // from the core's C library, which the binding links but whose header it does not pass on
// typedef struct AMresult AMresult;
// extern void AMresultFree(AMresult *result);
import "C"

import (
	"reflect"
	"runtime"
)

// free gives back the C memory behind what the binding returned (a document, a change or a value), with everything else that came from
// the same call. None of it may be used afterwards. It says whether it could.
//
// The binding itself leaves this to a finalizer of an 8-byte object without pointers. The runtime packs such objects in pairs, and the
// finalizer of one waits for the death of the other, which may be never.
func free(of any) bool {
	result := resultOf(reflect.ValueOf(of))
	if !result.IsValid() {
		return false
	}
	// A value from NewAt does not carry the mark of the unexported field it was reached by.
	runtime.SetFinalizer(reflect.NewAt(result.Type().Elem(), result.UnsafePointer()).Interface(), nil)
	C.AMresultFree((*C.AMresult)(result.Elem().FieldByName("cResult").UnsafePointer()))
	return true
}

// resultOf finds the binding's handle of a C result where this version of it has that: of.item.result.cResult. In a version that has it
// elsewhere nothing is found, and the finalizers are left to do it.
func resultOf(of reflect.Value) reflect.Value {
	for _, name := range []string{"item", "result"} {
		if !pointsToStruct(of) {
			return reflect.Value{}
		}
		of = of.Elem().FieldByName(name)
	}
	if !pointsToStruct(of) {
		return reflect.Value{}
	}
	if c := of.Elem().FieldByName("cResult"); c.Kind() != reflect.Pointer {
		return reflect.Value{}
	}
	return of
}

func pointsToStruct(v reflect.Value) bool {
	return v.Kind() == reflect.Pointer && !v.IsNil() && v.Type().Elem().Kind() == reflect.Struct
}
