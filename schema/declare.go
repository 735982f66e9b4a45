package schema

// Root is the name of the document's own object type.
const Root = ""

// Version is one released version: a number and the steps from the version before. [V] makes one.
type Version struct {
	n     int
	steps []Step
}

// V is version n. Numbers begin with 1 and go up by one.
func V(n int, steps ...Step) Version { return Version{n, steps} }

// Kind is what a field holds.
type Kind uint8

// The kinds of fields. Their texts are part of fingerprints.
const (
	KindText    Kind = iota + 1 // collaborative text
	KindString                  // a string that is replaced as a whole
	KindInt                     // int64
	KindFloat                   // float64
	KindBool                    // bool
	KindTime                    // a time in milliseconds
	KindBytes                   // bytes that are replaced as a whole
	KindCounter                 // increments add up
	KindSet                     // a set of texts
	KindList                    // elements in an order
	KindTable                   // records by ID
	KindNested                  // an object inside
)

// String is the kind in one word.
func (k Kind) String() string {
	return [...]string{"", "text", "string", "int", "float", "bool", "time", "bytes", "counter", "set", "list", "table", "nested"}[k]
}

// register says whether a kind is one value in one place, of which the newest counts.
func (k Kind) register() bool { return k >= KindString && k <= KindBytes }

// Field declares one field of an object type. The constructors are named by kind.
type Field struct {
	name   string
	kind   Kind
	object string // of a table or nested field: the type of what is in it
	elem   *Field // of a list
	opts   options
}

// Option adjusts a field.
type Option func(*options)

type options struct {
	def    any // in Go form; nil for none
	hasDef bool
	enum   []string
	checks []check
	policy Policy
}

// check is a Check with its type put away.
type check struct {
	rev  int
	kind Kind              // of the fields it is for
	call func(v any) error // of a value in Go form
	err  error             // the function is for another type than any field has
}

// Text is a collaborative text: use it for all prose. Edits of several people merge by character, whichever version of the program they use.
func Text(name string, o ...Option) Field { return field(name, KindText, o) }

// String is a string that is replaced as a whole: IDs, enums, addresses. Prose is a [Text].
func String(name string, o ...Option) Field { return field(name, KindString, o) }

// Int is a whole number of 64 bits with a sign.
func Int(name string, o ...Option) Field { return field(name, KindInt, o) }

// Float is a float of 64 bits.
func Float(name string, o ...Option) Field { return field(name, KindFloat, o) }

// Bool is true or false.
func Bool(name string, o ...Option) Field { return field(name, KindBool, o) }

// Time is a moment, in milliseconds and UTC.
func Time(name string, o ...Option) Field { return field(name, KindTime, o) }

// Bytes are bytes that are replaced as a whole.
func Bytes(name string, o ...Option) Field { return field(name, KindBytes, o) }

// Counter is a whole number whose increments add up, whoever makes them. It begins with 0.
func Counter(name string, o ...Option) Field { return field(name, KindCounter, o) }

// Set is a set of texts that are not empty: what several devices add and remove merges by element.
func Set(name string, o ...Option) Field { return field(name, KindSet, o) }

// List is elements in an order, all of them registers such as String(""), or objects of a type that has registers only, such as
// Nested("", "Point"): such a type is never changed again. Records that are to evolve belong into a [Table].
func List(name string, elem Field, o ...Option) Field {
	f := field(name, KindList, o)
	f.elem = &elem
	return f
}

// Table is records of an object type by ID.
func Table(name, object string, o ...Option) Field {
	f := field(name, KindTable, o)
	f.object = object
	return f
}

// Nested is one object of a type, which is always there.
func Nested(name, object string, o ...Option) Field {
	f := field(name, KindNested, o)
	f.object = object
	return f
}

func field(name string, k Kind, o []Option) Field {
	f := Field{name: name, kind: k}
	for _, set := range o {
		if set != nil {
			set(&f.opts)
		}
	}
	return f
}

// Default is what a field shows where nothing was written. It is for registers, and never written itself, so a later version may show another.
func Default(v any) Option {
	return func(o *options) { o.def, o.hasDef = v, true }
}

// Enum says which texts a [String] may have. Others are refused in writing, and reported in reading.
func Enum(values ...string) Option {
	return func(o *options) { o.enum = append(o.enum, values...) }
}

// Check is what a register must fulfil. It refuses what this program writes; what others wrote is reported and never refused. f must depend on
// its argument alone. rev stands for f in the fingerprint: another f is another rev in another version of the schema.
func Check[T any](rev int, f func(T) error) Option {
	return func(o *options) { o.checks = append(o.checks, checkOf(rev, f)) }
}

// OnInvalid says what a field shows whose stored value does not fit.
func OnInvalid(p Policy) Option {
	return func(o *options) { o.policy = p }
}

// Policy is what a field shows whose stored value does not fit. The value stays stored in every case, and is in the [Report].
type Policy uint8

const (
	UseDefault Policy = iota // the default, or else zero
	KeepRaw                  // the value as it is, where the Go field can hold it; else the default
	FailRead                 // nothing: reading the document is an [InvalidError]
)

// Step is one change from a version to the next.
type Step interface {
	// apply changes the types of a version in the making.
	apply(c *compiler) error
	// canonical is the step in the fingerprint.
	canonical() []any
	// String is the step in an error.
	String() string
}

// Object is a new object type. [Root] must be declared in version 1.
func Object(name string, fields ...Field) Step { return &objectStep{name, fields} }

// Add adds fields to an object type. Objects that are there already show their defaults.
func Add(object string, fields ...Field) Step { return &addStep{object, fields} }

// Rename gives a field another name. It is the same field: texts, lists and tables merge across it.
func Rename(object, from, to string) Step { return &renameStep{object, from, to} }

// Remove takes a field out of sight. Older versions read and write it as before. Its name may be used again, for another field.
func Remove(object, name string) Step { return &removeStep{object, name} }

// Alter gives a field other options: default, enum, checks, policy. f has the field's name and kind; options that it does not name are gone.
func Alter(object string, f Field) Step { return &alterStep{object, f} }

// Hoist moves a field of a nested object up, into the object itself: Hoist(Root, "settings.theme", "theme"). It is the same field. Later steps on the nested
// object's type pass this place by.
func Hoist(object, path, to string) Step { return &hoistStep{object, path, to} }

// Plunge moves a field down into a nested object: Plunge(Root, "theme", "settings.theme"). It is the same field.
func Plunge(object, name, path string) Step { return &plungeStep{object, name, path} }

// Wrap makes a [String] a [Set]. Older versions show one of its elements. What they write there becomes an element, instead of the one that they wrote there
// before; elements that newer versions added stay.
func Wrap(object, one, many string) Step { return &wrapStep{object, one, many} }

// Map makes one register another one by a lens: Map(Root, "done", "status", lens, Enum("todo", "done")). O and N are the Go types of
// the two, and the kind of the new one follows from N.
func Map[O, N any](object, from, to string, l Lens[O, N], o ...Option) Step {
	return mapStep(object, from, to, l, o)
}

// Group makes some registers others by a lens. O and N are structs, with tags that name the fields: `doc:"first"`. The kinds of the new ones
// follow from N; declare them in fields to give them options.
func Group[O, N any](object string, l Lens[O, N], fields ...Field) Step {
	return groupStepOf(object, l, fields)
}

// TextFromString makes a [String] a [Text]. Newer versions then merge by character among themselves; beside a version that still writes the
// string, the whole text of one of two concurrent writers counts.
func TextFromString(object, name string) Step { return &textStep{object, name} }

// RequireWriter makes documents read-only for versions below n, from the first edit by this version on. It belongs to steps without Down.
func RequireWriter(n int) Step { return &requireStep{n} }

// Lens translates between what an older and a newer version hold. Up and Down must be pure: the same arguments give the same values, on
// every device and for ever. Neither may keep what it is given.
type Lens[O, N any] struct {
	// Rev stands for the functions in the fingerprint, since Go code has none. Functions that were released never change: another translation is
	// another step in another version.
	Rev int
	// Up makes the new values of the old ones. prev is what the new ones were before an older version wrote; nil if they never were. So it
	// can keep what the older version cannot say.
	Up func(old O, prev *N) (N, error)
	// Down makes the old values of the new ones. prev is what they are now. Without it older versions do not see what newer ones write; see
	// [RequireWriter].
	Down func(nw N, prev O) (O, error)
}
