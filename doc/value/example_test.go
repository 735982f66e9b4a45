package value_test

import (
	"fmt"

	"tombolo/doc/value"
)

type Task struct {
	Title string   `doc:"title,text"`
	Done  bool     `doc:"done"`
	Tags  []string `doc:"tags,omitempty"`
	Votes int      `doc:"votes,counter"`
}

func Example() {
	if err := value.CheckFor[Task](); err != nil {
		fmt.Println(err) // at the start of the program, not when something is saved
	}
	tree, err := value.Marshal(Task{Title: "milk", Votes: 2})
	fmt.Printf("%#v %v\n", tree, err)

	var task Task
	err = value.Unmarshal(tree, &task)
	fmt.Printf("%+v %v\n", task, err)

	err = value.Unmarshal(map[string]any{"done": "yes"}, &task)
	fmt.Println(err)
	// Output:
	// map[string]interface {}{"done":false, "title":"milk", "votes":2} <nil>
	// {Title:milk Done:false Tags:[] Votes:2} <nil>
	// value at /done: a string does not fit bool
}

func ExampleCheckFor() {
	type Job struct {
		Name string
		Stop chan struct{}
	}
	fmt.Println(value.CheckFor[Job]())
	// Output:
	// value at /Stop: chan struct {} cannot be stored; leave the field out with the tag doc:"-"
}

func ExampleValue_Fields() {
	v, err := value.Of(&Task{Title: "milk"})
	if err == nil {
		err = v.Check()
	}
	for key, field := range v.Fields {
		fmt.Println(key, "is", field.Kind())
	}
	fmt.Println(err)
	// Output:
	// done is a boolean
	// tags is nothing
	// title is a text
	// votes is a counter
	// <nil>
}

// Celsius is stored in tenths, as a whole number.
type Celsius float64

func (c Celsius) MarshalDoc() (any, error) { return int64(c * 10), nil }

func (c *Celsius) UnmarshalDoc(v any) error {
	tenths, ok := v.(int64)
	if !ok {
		return fmt.Errorf("a temperature is a whole number of tenths, not %T", v)
	}
	*c = Celsius(tenths) / 10
	return nil
}

func ExampleMarshaler() {
	tree, _ := value.Marshal(map[string]Celsius{"hall": 20.5})
	fmt.Println(tree)
	var rooms map[string]Celsius
	fmt.Println(value.Unmarshal(tree, &rooms), rooms)
	fmt.Println(value.Unmarshal(map[string]any{"hall": "warm"}, &rooms))
	// Output:
	// map[hall:205]
	// <nil> map[hall:20.5]
	// value at /hall: UnmarshalDoc of value_test.Celsius: a temperature is a whole number of tenths, not string
}
