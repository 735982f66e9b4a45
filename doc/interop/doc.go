// Package interop holds documents made by the JavaScript library of Automerge, and the tests that both sides read each other's documents
// alike: the same heads, the same value, kind for kind. It has no code of its own.
//
//	go test ./doc/interop           // the fixtures always; with Node, documents made here go there and back
//	scripts/setup                   // installs Node and the library, pinned in js/package-lock.json
//	node doc/interop/js/make.mjs    // makes the fixtures in testdata again
//
// README.md says what each fixture is for and how its files are laid out.
package interop
