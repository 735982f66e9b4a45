// Package storetest says in tests what persist.Store says in words. Every store
// runs it; a bug found in one becomes a case here, so that the others learn it.
//
// A store that passes keeps its order, its snapshots and its copies, does all
// of a batch or none, in order, shows at once what it acknowledged, and stays
// closed. RunDurable adds what outlives Close, and what outlives the process.
// Stores that lie run it too (liars_test.go), and each must fail: a lost write,
// half a batch, a batch in another order, a stale read, data forgotten.
//
// A store of your own needs one test:
//
//	func TestStore(t *testing.T) {
//		storetest.RunDurable(t, func(t *testing.T, dir string) persist.Store {
//			s, err := mystore.Open(dir)
//			if err != nil {
//				t.Fatal(err)
//			}
//			return s
//		})
//	}
//
// The case that fails says what the store did not keep; run it alone with
// go test -run 'TestStore/snapshot'. Everything is the same in every run except
// what goroutines do at once, so run with -race as well.
//
// What no test in a process can show: that the disk was told to keep what Apply
// acknowledged (fsync, and its error looked at). For that, cut the power: copy
// the image of a file system while a writer is stopped, mount the copy, and
// compare. A store that returns from Apply without fsync passes this suite and
// loses data there.
package storetest
