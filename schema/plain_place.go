package schema

import (
	"bytes"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tombolo/doc"
)

// Where the versions are, in the root map of the document:
//
//	$plain / v2             the name of the place that counts for version 2
//	$plain / v2@<16 hex>    a place: it begins as one seed (doc.Tx.Seed), and its name follows from what it begins with
//	    data                  the data of version 2
//	    from                  the place it was made of: v1@…, or legacy for the rest of the root
//	    base                  what stood there, as bytes of canonical JSON
//	    seen / <place>        what stood in another place when somebody took it in, likewise
const (
	plainKey    = "$plain"
	plainLegacy = "legacy"
)

// plainPlace is where one version keeps data.
type plainPlace struct {
	name    string
	version int // 0 for what the root holds besides
	data    any
	from    string
	base    []byte
	seen    map[string][]byte
}

// plainPlaces is what a document holds.
type plainPlaces struct {
	legacy map[string]any
	there  bool           // there is a map for places
	all    []*plainPlace  // ascending by version and name, without legacy
	torn   []string       // places of which most was removed
	counts map[int]string // by version, as far as it says
	newest int            // of all that is said there
}

// plainPlacesOf sorts the root of a document. What others wrote there in another form is passed over.
func plainPlacesOf(root map[string]any) plainPlaces {
	out := plainPlaces{legacy: maps.Clone(root), counts: map[int]string{}}
	delete(out.legacy, plainKey)
	in, there := root[plainKey].(map[string]any)
	out.there = there
	for _, key := range slices.Sorted(maps.Keys(in)) {
		version, isPlace, ok := plainName(key)
		if !ok {
			continue
		}
		switch v := in[key].(type) {
		case string:
			if !isPlace {
				out.counts[version] = v
				out.newest = max(out.newest, version)
			}
		case map[string]any:
			if !isPlace {
				continue
			}
			out.newest = max(out.newest, version)
			if p, whole := plainPlaceOf(key, version, v); whole {
				out.all = append(out.all, p)
			} else { // half of the data must not look like all of it
				out.torn = append(out.torn, key)
			}
		}
	}
	slices.SortStableFunc(out.all, func(a, b *plainPlace) int { return a.version - b.version })
	return out
}

// plainPlaceOf reads a place; it is not whole where some of what it began with is missing.
func plainPlaceOf(name string, version int, m map[string]any) (p *plainPlace, whole bool) {
	p = &plainPlace{name: name, version: version, data: m["data"], seen: map[string][]byte{}}
	var from, base bool
	p.from, from = m["from"].(string)
	p.base, base = m["base"].([]byte)
	in, seen := m["seen"].(map[string]any)
	for k, v := range in {
		if b, ok := v.([]byte); ok {
			p.seen[k] = b
		}
	}
	return p, from && base && seen
}

// plainName reads the key of a place, or that of a version.
func plainName(key string) (version int, isPlace, ok bool) {
	number, _, isPlace := strings.Cut(key, "@")
	digits, ok := strings.CutPrefix(number, "v")
	version, err := strconv.Atoi(digits)
	return version, isPlace, ok && err == nil && version > 0 && digits == strconv.Itoa(version)
}

// plainSeed is what a place of a version begins with: data, which follows from what stands in another one. The name follows from all of it.
func plainSeed(version int, data any, from *plainPlace) (name string, seed map[string]any) {
	seed = map[string]any{"data": data, "from": from.name, "base": plainJSON(from.data), "seen": map[string]any{}}
	sum := plainDigest("tombolo plain 1", plainJSON(seed))
	return "v" + strconv.Itoa(version) + "@" + hex.EncodeToString(sum[:8]), seed
}

// plainPath is the path of a key of ours.
func plainPath(keys ...string) string {
	return doc.Pointer(append([]string{plainKey}, keys...)).String()
}

// named is the place with a name; nil for none.
func (s plainPlaces) named(name string) *plainPlace {
	i := slices.IndexFunc(s.all, func(p *plainPlace) bool { return p.name == name })
	if i < 0 {
		return nil
	}
	return s.all[i]
}

// plainGone are the names of the places that somebody removed from a document.
func plainGone(c doc.Content) (names []string) {
	for _, path := range c.Removed() {
		p, err := doc.ParsePointer(path)
		if err != nil || len(p) != 2 || p[0] != plainKey {
			continue
		}
		if _, isPlace, ok := plainName(p[1]); ok && isPlace {
			names = append(names, p[1])
		}
	}
	return names
}

// removed is the newest version of places that were removed, with those of which most was; 0 where none is newer than what counts.
func (s plainPlaces) removed(gone []string, at *plainPlace) (newest int) {
	for _, name := range slices.Concat(gone, s.torn) {
		if version, _, _ := plainName(name); s.named(name) == nil && version > at.version {
			newest = max(newest, version)
		}
	}
	return newest
}

// plainReader reads what a document holds, for one program.
type plainReader struct {
	*Plain
	id doc.ID
	plainPlaces
}

// future is the newest version that wrote, where this program does not know it; else 0.
func (r plainReader) future() int {
	if r.newest > r.Newest() {
		return r.newest
	}
	return 0
}

// current is the place that the data comes from, and the data.
func (r plainReader) current() (*plainPlace, any, error) {
	for n := r.Newest(); n > 0; n-- {
		if at := r.counting(n); at != nil {
			data, err := r.convert(r.id, n, at.data, r.Newest())
			return at, data, err
		}
		if f := r.future(); f > 0 {
			return nil, nil, &VersionError{Have: r.Newest(), Need: f} // what is below is older than what people see elsewhere
		}
	}
	at, err := r.root()
	if err != nil {
		return nil, nil, err
	}
	data, err := r.convert(r.id, 0, at.data, r.Newest())
	return at, data, err
}

// root is what was there before all versions, as a place.
func (r plainReader) root() (*plainPlace, error) {
	data, err := r.Plain.legacy(r.plainPlaces.legacy)
	return &plainPlace{name: plainLegacy, data: data}, err
}

// counting is the place of a version whose data counts. Where nothing says which, since the save that said it was undone, it is the first
// one that somebody wrote to after it was made; one that nobody wrote to says nothing that the older place does not.
func (r plainReader) counting(n int) *plainPlace {
	if at := r.named(r.counts[n]); at != nil && at.version == n {
		return at
	}
	for _, p := range r.all {
		if p.version == n {
			if seed, err := r.seedOf(p); err != nil || !bytes.Equal(seed, plainJSON(p.data)) {
				return p
			}
		}
	}
	return nil
}

// seedOf is the JSON of what a place began with.
func (r plainReader) seedOf(p *plainPlace) ([]byte, error) {
	from, _, _ := plainName(p.from) // 0 for legacy
	base, err := doc.DecodeJSON(p.base)
	if err != nil {
		return nil, err
	}
	data, err := r.convert(r.id, from, base, p.version)
	if err != nil {
		return nil, err
	}
	return plainJSON(data), nil
}
