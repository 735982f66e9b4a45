package main

import "fmt"

// steps are the script. Between two of them all three devices have the same document.
var steps = []step{
	{"Ben updates to version 2, and Cem to version 3", func(s *story) {
		before := s.changes(s.ada)
		s.update(s.ben, "v2")
		s.update(s.cem, "v3")
		s.look("title", "title: Login fails", "name: Login fails", "name: Login fails", "v2 renames the title")
		s.look("theme", "settings.theme: light", "theme: light; priority: 3", "theme: light; priority: 3", "defaults that nobody wrote")
		row := row{says: "opening, reading and updating write nothing", holds: true}
		for i, d := range s.devices() {
			n := s.changes(d) - before
			row.cells[i], row.holds = fmt.Sprint(n, " changes"), row.holds && n == 0
		}
		s.rows = append(s.rows, row)
	}},
	{"Ada and Ben, apart, type into the title", func(s *story) {
		s.part(s.ada, s.ben)
		s.edit(by(s.ada, "title", " in Safari"), by(s.ben, "title", "Urgent: "))
		s.meet()
		s.look("title", "title: Urgent: Login fails in Safari", "name: Urgent: Login fails in Safari", "name: Urgent: Login fails in Safari", "v1 and v2 typed into one text")
	}},
	{"Ben begins to work on it", func(s *story) {
		s.edit(by(s.ben, "status", "doing"))
		s.look("state", "done: false", "status: doing", "state: doing; archived: false", "v2 says more than v1 can")
	}},
	{"Cem archives it", func(s *story) {
		s.edit(by(s.cem, "archive", ""))
		s.look("state", "done: true", "status: archived", "state: doing; archived: true", "v1 sees done when v3 archives")
	}},
	{"Ada takes her tick out", func(s *story) {
		s.edit(by(s.ada, "done", "no"))
		s.look("state", "done: false", "status: todo", "state: todo; archived: false", "v3 sees v1 reopen it")
	}},
	{"Ada corrects who reported it", func(s *story) {
		s.edit(by(s.ada, "reporter", "Zoe Quinn"))
		s.look("reporter", "fullName: Zoe Quinn", "fullName: Zoe Quinn", "first: Zoe; last: Quinn", "v3 splits what v1 writes")
	}},
	{"Cem corrects the last name, and is killed right after", func(s *story) {
		s.edit(by(s.cem, "last", "Park"))
		s.crash(s.cem)
		s.look("reporter", "fullName: Zoe Park", "fullName: Zoe Park", "first: Zoe; last: Park", "v1 joins what v3 writes")
	}},
	{"Ben updates to version 3, too", func(s *story) {
		s.update(s.ben, "v3")
	}},
	{"Ben and Cem, apart, change one name each; Ben goes back to version 2", func(s *story) {
		s.part(s.ben, s.cem)
		s.edit(by(s.ben, "first", "Kim"), by(s.cem, "last", "Lee"))
		s.meet()
		s.settle(s.cem) // one of the two wrote what v1 shows last, and did not know of the other
		s.start(s.ben, "v2")
		s.look("reporter", "fullName: Kim Lee", "fullName: Kim Lee", "first: Kim; last: Lee", "two v3 apart: both names count")
	}},
	{"Cem has somebody help", func(s *story) {
		s.edit(by(s.cem, "assign", "cem"))
		s.look("assignee", "assignee: ann", "assignee: ann", "assignees: ann, cem", "v1 keeps the one it knows")
	}},
	{"Ada gives it to Ben", func(s *story) {
		s.edit(by(s.ada, "assignee", "ben"))
		s.look("assignee", "assignee: ben", "assignee: ben", "assignees: ben, cem", "v1 replaces that one only")
	}},
	{"Ada and Cem, apart, work on one todo", func(s *story) {
		s.part(s.ada, s.cem)
		s.edit(by(s.ada, "todo", " twice"), by(s.cem, "notes", "Safari 17"))
		s.meet()
		s.look("todo", "reproduce it twice", "reproduce it twice", "reproduce it twice (Safari 17)", "v1 does not lose v3's notes")
	}},
	{"All three, apart, add a tag and vote", func(s *story) {
		s.part(s.devices()...)
		s.edit(by(s.ada, "tag", "login"), by(s.ben, "tag", "web"), by(s.cem, "tag", "apple"))
		s.meet()
		const all = "apple, bug, login, web; votes: 3"
		s.look("tags", all, all, all, "lists and counters are one")
	}},
	{"Ben makes it dark, and urgent", func(s *story) {
		s.edit(by(s.ben, "theme", "dark"))
		s.look("theme", "settings.theme: dark", "theme: dark; priority: 1", "theme: dark; priority: 1", "v2 moved a setting up")
	}},
	{"Cem goes back to version 1, puts the tick back, and updates again", func(s *story) {
		s.start(s.cem, "v1")
		s.edit(by(s.cem, "done", "yes"))
		s.start(s.cem, "v3")
		s.look("state", "done: true", "status: archived", "state: doing; archived: true", "the tick is back, and what it stood for")
		s.look("todo", "reproduce it twice", "reproduce it twice", "reproduce it twice (Safari 17)", "a downgrade takes nothing away")
	}},
	{"Ada starts her program again, and they compare", func(s *story) {
		s.update(s.ada, "v1")
		row := row{says: "all three have the same document", holds: true}
		var first string
		for i, d := range s.devices() {
			a := s.ask(d, request{Do: "see"})
			if i == 0 {
				first = a.Hash
			}
			same := a.Hash == first
			row.cells[i], row.holds = map[bool]string{true: "the same", false: a.Hash}[same], row.holds && same
		}
		s.rows = append(s.rows, row)
	}},
}
