package main

import "bytes"

// opID names an operation. Its zero value is the root object, the head of a list, or nothing, by the place it stands in.
type opID struct {
	ctr   int64
	actor string
}

func (a opID) compare(b opID) int {
	if a.ctr != b.ctr {
		return int(max(-1, min(1, a.ctr-b.ctr)))
	}
	return bytes.Compare([]byte(a.actor), []byte(b.actor))
}

// The actions of operations.
const (
	actMakeMap = iota
	actSet
	actMakeList
	actDel
	actMakeText
	actInc
	actMakeTable
	actMark
)

// The types of values.
const (
	typeNull = iota
	typeFalse
	typeTrue
	typeUint
	typeInt
	typeFloat
	typeString
	typeBytes
	typeCounter
	typeTime
)

// op is one operation, with actors spelled out.
type op struct {
	obj      opID // zero: the root
	keyed    bool // key counts, else elem
	key      string
	elem     opID // zero: the head
	insert   bool
	action   int64
	kind     uint64 // type of the value
	value    []byte
	preds    []opID
	expand   bool
	markName *string
}
