package main

import "fmt"

// issueV2 is an issue as version 2 knows it: the title is called name, done has become a status, the theme is a field of its own, and there is a
// priority.
type issueV2 struct {
	Name     string            `doc:"name"`
	Status   string            `doc:"status"`
	FullName string            `doc:"fullName"`
	Assignee string            `doc:"assignee"`
	Tags     []string          `doc:"tags"`
	Todos    map[string]todoV2 `doc:"todos"`
	Theme    string            `doc:"theme"`
	Priority int               `doc:"priority"`
	Votes    int               `doc:"votes"`
}

type todoV2 struct {
	Text string `doc:"text"`
}

var v2 = released(2, map[string]func(*issueV2, string){
	"title":  func(i *issueV2, before string) { i.Name = before + i.Name },
	"status": func(i *issueV2, status string) { i.Status = status },
	"theme":  func(i *issueV2, theme string) { i.Theme, i.Priority = theme, 1 },
	"tag":    func(i *issueV2, tag string) { i.Tags, i.Votes = append(i.Tags, tag), i.Votes+1 },
}, func(i issueV2) map[string]string {
	return map[string]string{
		"title":    "name: " + i.Name,
		"state":    "status: " + i.Status,
		"reporter": "fullName: " + i.FullName,
		"assignee": "assignee: " + i.Assignee,
		"tags":     fmt.Sprintf("%s; votes: %d", sorted(i.Tags), i.Votes),
		"todo":     i.Todos["1"].Text,
		"theme":    fmt.Sprintf("theme: %s; priority: %d", i.Theme, i.Priority),
	}
})
