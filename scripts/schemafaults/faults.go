package main

// fault is a mistake that somebody could make in the lens engine.
type fault struct {
	name  string
	edits []change
}

// change replaces a text that a file has once.
type change struct{ file, old, new string }

func one(name, file, old, new string) fault { return fault{name, []change{{file, old, new}}} }

var faults = []fault{
	one("no echo", "schema/put.go", "t.write(n, v, t.keyPut(g, epoch.echoes[i], echoOf(v)))", "t.write(n, v)"),
	one("echo away from its field", "schema/plan.go", "		t.puts = append(t.puts, echo...)\n", "		t.puts = append(append([]put(nil), echo...), t.puts...)\n"),
	one("echo of a chain elsewhere", "schema/put.go", "		t.puts = append(t.puts, p.echo...)\n", "		defer func() { t.puts = append(t.puts, p.echo...) }()\n"),
	one("a beginning taken for an echo", "schema/put.go", "t.key(g, epoch.begun[i], echoOf(r.raw))", "t.key(g, epoch.echoes[i], echoOf(r.raw))"),
	one("echo for all epochs", "schema/layout.go", "\"^\"+n.name+end", "\"^\"+n.name+\"~\"+g.id"),
	one("eager settle", "schema/view.go", "		return w.target.settleGroups()\n", "		if err := w.target.each(version.objects[Root], (*target).settle); err != nil {\n			return err\n		}\n		return w.target.settleGroups()\n"),
	one("epoch without its values", "schema/layout.go", "doc.EncodeJSON([]any{olds, e.values})", "doc.EncodeJSON([]any{})"),
	one("epoch without the one before", "schema/layout.go", "[]byte(before)", "[]byte(before[:0])"),
	one("one epoch for ever", "schema/put.go", "	if e.fresh {\n		return e.epoch, nil", "	if e.epoch != nil {\n		return e.epoch, nil"),
	one("Up without what was", "schema/eval.go", "e.before = e.values", "e.before = nil"),
	one("copies into an epoch", "schema/put.go", "		if p == nil {\n			continue\n		}\n", "		if p == nil {\n			t.key(g, epoch.news[i], e.values[i])\n			continue\n		}\n"),
	one("last writer's version mark", "doc/marks_schema.go", "minWriter = max(minWriter, n)", "minWriter = n"),
	one("marks forgotten", "schema/view.go", "tx.MarkSchema(missing.lineage)", "error(nil)"),
	one("newer writers ignored", "schema/status.go", "st.Why == nil && m.MinWriter > have", "false"),
	one("forks ignored", "schema/status.go", "if w.Lineage[i] != s.versions[i].print {", "if false {"),
	one("Go map order", "doc/value/value.go", "	slices.Sort(keys)\n", ""),
	one("whole values written", "schema/write.go", "	return doc.Equal(r.shown, v)\n", "	return false\n"),
	one("containers replaced", "schema/plan.go", "case src == nil || src.Kind() == value.Null:", "case src == nil || src.Kind() == value.Null || src.Kind() == value.Map:"),
	one("defaults written", "schema/write.go", "	if r.shown == nil && !f.nilable {", "	if r.absent && !f.nilable {\n		return false\n	}\n	if r.shown == nil && !f.nilable {"),
	one("counters begun apart", "schema/write.go", "		t.seeds = append(t.seeds, put{path: t.place(n.at...), v: doc.Counter(0)})", "		t.puts = append(t.puts, put{t.place(n.at...), assign, doc.Counter(0)})"),
	one("texts begun apart", "schema/put.go", "			t.seeds = append(t.seeds, put{path: path, v: doc.Text(s)})", "			t.puts = append(t.puts, put{path, assign, doc.Text(s)})"),
	one("a rename that moves", "schema/steps.go", "		return o.show(fields[0], s.to)\n", "		moved := *fields[0]\n		moved.at = joined(o.prefix, s.to)\n		return o.show(&moved, s.to)\n"),
	one("values that do not fit erased", "schema/read.go", "r.shown = r.raw", "r.shown = nil"),
	one("records removed", "schema/write.go", "joined(f.n.at, id)...), how: drop}", "joined(f.n.at, id)...), how: remove}"),
	one("a set that forgets its string", "schema/source.go", "if head != \"\" && !slices.Contains(out, head) {", "if false {"),
}
