package main

import "fmt"

// issueV3 is an issue as version 3 knows it: the status has become a state and an archive, the reporter's name is in two, several people can be
// assigned, and todos have notes.
type issueV3 struct {
	Name      string            `doc:"name"`
	State     string            `doc:"state"`
	Archived  bool              `doc:"archived"`
	First     string            `doc:"first"`
	Last      string            `doc:"last"`
	Assignees []string          `doc:"assignees"`
	Tags      []string          `doc:"tags"`
	Todos     map[string]todoV3 `doc:"todos"`
	Theme     string            `doc:"theme"`
	Priority  int               `doc:"priority"`
	Votes     int               `doc:"votes"`
}

type todoV3 struct {
	Text  string `doc:"text"`
	Notes string `doc:"notes"`
}

var v3 = released(3, map[string]func(*issueV3, string){
	"archive": func(i *issueV3, _ string) { i.Archived = true },
	"first":   func(i *issueV3, name string) { i.First = name },
	"last":    func(i *issueV3, name string) { i.Last = name },
	"assign":  func(i *issueV3, who string) { i.Assignees = append(i.Assignees, who) },
	"notes":   func(i *issueV3, notes string) { i.Todos["1"] = todoV3{Text: i.Todos["1"].Text, Notes: notes} },
	"tag":     func(i *issueV3, tag string) { i.Tags, i.Votes = append(i.Tags, tag), i.Votes+1 },
}, func(i issueV3) map[string]string {
	todo := i.Todos["1"].Text
	if notes := i.Todos["1"].Notes; notes != "" {
		todo += " (" + notes + ")"
	}
	return map[string]string{
		"title":    "name: " + i.Name,
		"state":    fmt.Sprintf("state: %s; archived: %t", i.State, i.Archived),
		"reporter": fmt.Sprintf("first: %s; last: %s", i.First, i.Last),
		"assignee": "assignees: " + sorted(i.Assignees),
		"tags":     fmt.Sprintf("%s; votes: %d", sorted(i.Tags), i.Votes),
		"todo":     todo,
		"theme":    fmt.Sprintf("theme: %s; priority: %d", i.Theme, i.Priority),
	}
})
