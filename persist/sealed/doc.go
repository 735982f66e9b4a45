// Package sealed keeps a persist.Store whose records are encrypted before they
// reach the store around which it lies, and keeps the keys for that.
//
// What the store below, its files or a copy of them show to others: how many
// records there are of which kind (the first byte of each key), the numbers in
// the keys of changes and caches, how long names and values are, which records
// change together and when. They show no value, no name, and no ID of a
// document, space or device. A flipped byte, a record put in the place of
// another and a record of another store are noticed when they are read; a
// missing record and an older version of one are noticed by the log or by
// Store.Check. A store put back as a whole looks like what it was: that cannot
// be seen from inside.
//
// The records are sealed under a random data key. The file "keys" beside the
// store holds it, itself encrypted under each of several secrets: a key file, a
// passphrase, a recovery key. Secrets come and go without a record being
// written anew, while a program has the store open as well. A second copy,
// "keys.copy", serves where the file is missing or does not read. Without both,
// or with every secret lost, the data is lost: no one can help. So give out a
// recovery key at set-up, and back the file up.
//
// A program that keeps more than the store in its directory hides that with
// Keys.Hide. An Engine does all of this itself: see tombolo.Seal and
// tombolo.Options.Unlock.
//
//	code := sealed.NewRecoveryKey() // for the user to write down: code.Text()
//	keys, err := sealed.Create(dir, sealed.Passphrase(typed, sealed.Cost{}), code)
//	keys, err = sealed.Open(dir, sealed.Passphrase(typed, sealed.Cost{})) // from then on
//	store := sealed.New(inner, keys)
//	log, err := persist.OpenLog(ctx, store, codec)
//
// # Decisions
//
// Keys: the file and its copy are alike. Every change writes both, and Mend makes
// a copy that was left behind what the file is: otherwise a secret that was taken
// away could be used again by damaging the file. A copy made elsewhere before
// opens with the secrets it had then, for ever, since the data key never changes.
//
// Values: codec byte 10, a random nonce of 24 bytes, then XChaCha20-Poly1305
// over the value, with codec byte and the key in the inner store as associated
// data: that binds a record to its place. Nonces of this length may be drawn at
// random for ever. Nothing is compressed here: packs are compressed already,
// none of 2,000 single changes got shorter by it, headers are hashes. The price
// is that a store which compresses blocks of records finds nothing to gain:
// 100,000 documents of one change each took 37 MB instead of 14.
//
// Keys of records: letter and numbers stay (persist.Visible), since records are listed in
// their order. The rest is encrypted so that equal keys give equal results: 16
// bytes of HMAC-SHA256 over the key, which are also the nonce for XChaCha20
// over the rest. So a key can be read without its value, and damage to a value
// is reported for its document, not for a number. Settings carry 4 more bytes
// of HMAC over their word up to '/', so that one group can be listed alone.
//
// Order: listings come in the order of the true keys, as every Store promises.
// For hidden keys that means that all of one run (all headers, say) are read
// before the first is given out: 50 MB for 100,000 documents, for that moment.
// Numbered keys stream.
//
// Versions: each version of a header or setting has a mark of 8 bytes, which
// nobody can compute without the keys; their sum is kept in a record of its own,
// written with every batch. One that is missing or was put back then does not
// add up. It costs a MAC for each such record, and 3 to 6 MB of memory for
// 100,000 documents. Records of changes are not in the sum: the log compares
// them with the header, and numbers are never given out twice.
//
// Speed: durable appends to Badger by 64 writers took 1.06 times as long as
// plain ones, and 1.29 times the processor's time (means of six runs each, in turn, on
// a busy machine); a log of 100,000 documents opened in 0.33 s instead of 0.14.
//
// Sizes: an entry grows by at most persist.EntryCost bytes, for which there is
// room in every Store (persist.Batch.Wrap): so limits are those of a plain one.
package sealed
