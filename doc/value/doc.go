// Package value is what a document holds, seen from Go: the Go form of a value, and how Go types become values and come back.
//
//	type Task struct {
//		Title string     `doc:"title,text"` // letters of several people merge
//		Done  bool       `doc:"done"`
//		Due   *time.Time `doc:"due,omitempty"`
//	}
//	err := value.CheckFor[Task]()          // once, when the type is registered
//	tree, err := value.Marshal(task)       // map[string]any{"title": value.Text("milk"), "done": false}
//	err = value.Unmarshal(tree, &task)
//
// What it promises:
//
//   - A type that cannot be stored is refused by [Check], with the path of the field and what to use instead. After that only a value can be
//     refused, by [Value.Check] and before anything is written: invalid UTF-8, an empty key, a circle of pointers, a hook that fails.
//   - What is written and read again is the same, bit by bit and for all values, but for what the table says.
//   - Nothing is guessed or rounded: a number that does not fit the Go type exactly is an error with its path.
//   - Walking a struct copies and allocates nothing ([Value]), and reading one asks the [Source] for its fields alone, without a map between.
//   - All functions are safe for concurrent use. No bad input panics; a panic in a hook is the hook's.
//
// The Go form is a tree of nil, bool, int64, uint64, float64, string, []byte, time.Time, [Text], [Counter], []any and map[string]any, and
// [Unknown] where a value was read that this version does not know.
//
// # Types
//
//	bool, string, [Text], [Counter]   themselves, and named types of bool and string
//	int…, time.Duration (in ns)       int64
//	uint…                             uint64
//	float32, float64                  float64, NaN and infinities included
//	[]byte, [N]byte                   bytes; a nil []byte is null
//	time.Time                         a time in milliseconds and UTC: rounded down, and the zone is lost
//	slices                            a list; a nil slice is an empty list and reads back as one that is not nil
//	arrays                            a list of exactly their length: of two that are made apart one counts, and elements merge in their places
//	maps                              a map; a nil map as with slices. Keys are strings, whole numbers, or types with MarshalText and UnmarshalText
//	maps to struct{}                  a set: a map from each key to true; what has false or null there is not in it
//	structs                           a map with a key for each exported field
//	pointers                          what they point to, or null; a pointer to something that is null itself (*any, **T) reads back as nil
//	any                               what it holds; reads back in Go form
//	MarshalDoc with UnmarshalDoc      what [Marshaler] says
//	MarshalText with UnmarshalText    a string
//
// Not stored: channels, functions, complex numbers, addresses, interfaces with methods, and structs without an exported field.
//
// # Fields
//
// The tag is doc:"name,option,…". Without a name the key is the name of the field; doc:"-" leaves the field out; doc:"-," names it -.
//
//	text        a string (or a pointer to one) is stored as collaborative [Text]
//	counter     a signed whole number is stored as a [Counter]
//	omitempty   the key is left out, and removed by a write, where the field is zero or a slice or map without elements
//
// Fields of an embedded struct stand among those around it, as in encoding/json: the one embedded less deep hides another of its name. Two
// at the same depth are refused, whatever their tags. The fields of an embedded pointer that is nil are left out, and it is set when one of
// them has a key. An embedded struct with a name in its tag, or with hooks, is a field like others. A struct that has its hooks only from
// what it embeds is refused if it has more to store.
package value
