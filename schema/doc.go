// Package schema will hold the versions of a document's shape, and the steps between them, as views over one stable layout: a v1 and a
// v3 of an application then edit one document at the same time. It has no code yet. What the other packages keep ready for it: the
// genesis of a document depends on application and ID only, containers at fixed paths come from deterministic changes, and the marks
// in a document ($m) are hidden from reading and writing.
package schema
