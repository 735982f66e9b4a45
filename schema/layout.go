package schema

import (
	"crypto/sha256"
	"encoding/base64"

	"tombolo/doc"
)

// Storage layout 1 of what lenses keep, in the map of the fields they are made of. S is the step, E an epoch:
//
//	cur~S     the epoch that counts
//	^old~S@E  the echo: what a newer version that wrote in E knows the old field to hold. Another value there is the work of an older version, or of a
//	          newer one in another epoch.
//	+new~S@E  the seed: what a new field begins E with
//	new~S@E   what was written into it in E
//
// An epoch follows from the values it begins with and from the epoch before: devices that take the same edit of an older version over, apart,
// begin the same one. Nothing is written into it but what somebody changed, so no such edit loses against a copy.

// keys are the keys of a group, as far as they are the same in all epochs.
type keys struct {
	cur          string
	echoes       []string // by old field; the epoch follows
	news, starts []string // by new field; likewise
}

// begin makes the keys that a group has as soon as its old fields are known.
func (k *keys) begin(g *group) {
	k.cur = "cur~" + g.id
	for _, n := range g.olds {
		k.echoes = append(k.echoes, "^"+n.name+"~"+g.id+"@")
	}
}

// add makes the keys of one more new field.
func (k *keys) add(g *group, name string) {
	key := name + "~" + g.id + "@"
	k.news, k.starts = append(k.news, key), append(k.starts, "+"+key)
}

func (g *group) echoKey(i int, epoch string) string { return g.keys.echoes[i] + epoch }
func (g *group) newKey(i int, epoch string) string  { return g.keys.news[i] + epoch }
func (g *group) seedKey(i int, epoch string) string { return g.keys.starts[i] + epoch }

// epochOf names the epoch that begins with values after another one.
func (g *group) epochOf(values []any, before string) (string, error) {
	json, err := doc.EncodeJSON(values)
	if err != nil {
		return "", err
	}
	sum := digest("tombolo epoch 1", []byte(g.id), json, []byte(before))
	return base64.RawURLEncoding.EncodeToString(sum[:8]), nil
}

// longEcho is how long a text may be that its echo repeats.
const longEcho = 32

// echoOf is what the echo of a value holds: the value, or for a long text the first half of its hash.
func echoOf(v any) any {
	if s, ok := v.(string); ok && len(s) > longEcho {
		sum := sha256.Sum256([]byte(s))
		return sum[:16]
	}
	return v
}
