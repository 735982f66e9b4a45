// Package memstore keeps a persist.Store in memory. It is for tests and for
// programs that want to keep nothing.
//
// It promises what every Store promises, except that what it holds ends with
// it: durable here means until Close.
//
//	s := memstore.New()
//	defer s.Close()
//	b := &persist.Batch{}
//	b.Put([]byte("k"), []byte("v"))
//	err := s.Apply(ctx, b)
package memstore
