package main

import "fmt"

// issueV1 is an issue as version 1 of the app knows it. What a field shows lies in sees, and what its users can do in edits.
type issueV1 struct {
	Title    string            `doc:"title"`
	Done     bool              `doc:"done"`
	FullName string            `doc:"fullName"`
	Assignee string            `doc:"assignee"`
	Tags     []string          `doc:"tags"`
	Todos    map[string]todoV1 `doc:"todos"`
	Settings settingsV1        `doc:"settings"`
	Votes    int               `doc:"votes"`
}

type todoV1 struct {
	Text string `doc:"text"`
}

type settingsV1 struct {
	Theme string `doc:"theme"`
}

var v1 = released(1, map[string]func(*issueV1, string){
	"report": func(i *issueV1, title string) {
		i.Title, i.FullName, i.Assignee = title, "Ann Quinn", "ann"
		i.Tags = []string{"bug"}
		i.Todos = map[string]todoV1{"1": {Text: "reproduce it"}}
	},
	"title":    func(i *issueV1, title string) { i.Title += title },
	"done":     func(i *issueV1, yes string) { i.Done = yes == "yes" },
	"reporter": func(i *issueV1, name string) { i.FullName = name },
	"assignee": func(i *issueV1, who string) { i.Assignee = who },
	"todo":     func(i *issueV1, text string) { i.Todos["1"] = todoV1{Text: i.Todos["1"].Text + text} },
	"tag":      func(i *issueV1, tag string) { i.Tags, i.Votes = append(i.Tags, tag), i.Votes+1 },
}, func(i issueV1) map[string]string {
	return map[string]string{
		"title":    "title: " + i.Title,
		"state":    fmt.Sprint("done: ", i.Done),
		"reporter": "fullName: " + i.FullName,
		"assignee": "assignee: " + i.Assignee,
		"tags":     fmt.Sprintf("%s; votes: %d", sorted(i.Tags), i.Votes),
		"todo":     i.Todos["1"].Text,
		"theme":    "settings.theme: " + i.Settings.Theme,
	}
})
