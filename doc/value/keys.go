package value

import (
	"encoding"
	"math"
	"reflect"
	"strconv"
)

// keyForm is how the keys of a Go map become keys of a document.
type keyForm uint8

const (
	keyString keyForm = iota
	keyInt
	keyUint
	keyText       // by MarshalText and UnmarshalText
	keyTextByAddr // the same, MarshalText needs a pointer
)

func keyFormOf(t reflect.Type) (keyForm, *Error) {
	pt := reflect.PointerTo(t)
	if t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface && pt.Implements(textEncoding) && pt.Implements(textDecoding) {
		if t.Implements(textEncoding) {
			return keyText, nil
		}
		return keyTextByAddr, nil
	}
	switch t.Kind() {
	case reflect.String:
		return keyString, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return keyInt, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return keyUint, nil
	}
	return 0, refuse("a map cannot have keys of type %s; use a string, a whole number, or a type with MarshalText and UnmarshalText", t)
}

// text is a key as a document has it.
func (f keyForm) text(k reflect.Value) (string, *Error) {
	switch f {
	case keyInt:
		return strconv.FormatInt(k.Int(), 10), nil
	case keyUint:
		return strconv.FormatUint(k.Uint(), 10), nil
	case keyText, keyTextByAddr:
		return marshalText(k, f == keyTextByAddr)
	}
	return k.String(), nil
}

// parse sets k, which is zero, from a key of a document. Whole numbers are read as they are written, so that no two keys of a document are
// one key of the map.
func (f keyForm) parse(s string, k reflect.Value) *Error {
	switch f {
	case keyInt:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || k.OverflowInt(n) || strconv.FormatInt(n, 10) != s {
			return refuse("the key is not a whole number that fits %s; read it into a map with string keys", k.Type())
		}
		k.SetInt(n)
	case keyUint:
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil || k.OverflowUint(n) || strconv.FormatUint(n, 10) != s {
			return refuse("the key is not a whole number from 0 to %d; read it into a map with string keys", uint64(math.MaxUint64)>>(64-k.Type().Bits()))
		}
		k.SetUint(n)
	case keyText, keyTextByAddr:
		if err := k.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)); err != nil {
			return hookError("UnmarshalText", k.Type(), err)
		}
	default:
		k.SetString(s)
	}
	return nil
}
