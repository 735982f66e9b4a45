// Package space says who may do what in a space: signed records of members, as pure data that comes to the same result on every device,
// without a server and in whatever order the records arrive.
//
//	genesis, err := space.SignGenesis(me, "Home", nonce, time.Now())
//	m, err := space.Open([][]byte{genesis}, verify)
//	record, err := m.SignMember(me, phone, "Ada's phone", space.Writer, time.Now())
//	changed, err := m.Add(record)       // also with records from others; keep m.Records() when something changed
//	role, ok := m.Role(phone)           // Writer, true
//
// What it promises:
//
//   - The same records give the same members, the same [Members.Records] and the same [Members.Digest], in any order and however often
//     each arrives. docs/membership.md is the table of rules.
//   - Nobody is a member who was not made one by the owner who signed the genesis: in this version no one else may issue records.
//   - A record of a codec this version does not know is kept and handed on, never interpreted.
//
// A record is a codec byte (1) and deterministic CBOR (RFC 8949 section 4.2.1): [kind, body, signature]. The signature is over a text for
// the kind, then the body ("space record 1" in docs/format.md). Peers are named by the text of their libp2p peer ID; how they sign
// comes in from outside.
package space
