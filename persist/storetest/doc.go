// Package storetest says in tests what persist.Store says in words. Every store
// runs it; a bug found in one becomes a case here, so that the others learn it.
//
// A store that passes keeps its order, its snapshots and its copies, does all
// of a batch or none, and stays closed. RunDurable adds what outlives Close.
//
//	func TestStore(t *testing.T) {
//		storetest.RunDurable(t, func(t *testing.T, dir string) persist.Store {
//			s, err := mystore.Open(dir)
//			…
//			return s
//		})
//	}
package storetest
