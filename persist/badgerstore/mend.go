package badgerstore

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
)

const (
	damagedName = "damaged" // directory of copies, as they were found
	reportName  = "report"  // in it: a line for each opening that missed something
)

// mend makes a surveyed directory one that Badger opens without losing more,
// and returns what is missing, or nil. Before it alters anything it has kept
// copies of what is damaged and written the report, so that a crash in between
// hides nothing.
func (v *survey) mend(log *slog.Logger) (*ShortenedError, error) {
	m := mending{survey: v, log: log, report: ShortenedError{Dir: v.dir, Lost: v.lost}}
	if what, unreadable := noFile(v.sideErr); unreadable && v.newest > 0 {
		log.Warn("the number of commits beside the store is "+what+", and is written again", "count", v.newest)
	}
	if err := errors.Join(m.tables(), m.wals(), m.registry(), m.valueLogs()); err != nil {
		return nil, err
	}
	report := &m.report
	if m.report.Lost == 0 && !m.missing {
		report = nil
	} else {
		log.Warn("a part of the store is missing", "err", report)
		if err := m.write(); err != nil {
			return nil, err
		}
	}
	for _, do := range append(m.todo, m.discard) {
		if err := do(); err != nil {
			return nil, err
		}
	}
	return report, nil
}

// mending is one run of mend.
type mending struct {
	*survey
	log     *slog.Logger
	report  ShortenedError
	missing bool           // besides whole commits
	todo    []func() error // what alters the directory
}

func (m *mending) later(do func() error) { m.todo = append(m.todo, do) }

// keep copies a file of the store to where damaged files are kept.
func (m *mending) keep(path, what string) error {
	kept := filepath.Join(m.dir, damagedName, filepath.Base(path))
	for i := 2; exists(kept); i++ {
		kept = filepath.Join(m.dir, damagedName, fmt.Sprintf("%s-%d", filepath.Base(path), i))
	}
	if err := copyFile(path, kept); err != nil {
		return fmt.Errorf("keep the damaged %s: %w", filepath.Base(path), err)
	}
	m.log.Warn("damaged file kept", "what", what, "copy", kept)
	m.report.Kept = append(m.report.Kept, kept)
	return nil
}

// tables replaces damaged tables by what reads of them, and keeps those that
// Badger will delete, when something is missing that they might have.
func (m *mending) tables() error {
	for _, t := range m.survey.tables {
		what := t.damage()
		switch {
		case t.listed && what != "":
			if t.bad() > 0 {
				m.missing = true
				m.report.What = append(m.report.What, what)
			}
			if err := m.keep(t.path, what); err != nil {
				return err
			}
			m.later(func() error { return m.rebuild(t) })
		case !t.listed && (m.lost > 0 || m.unknown):
			if err := m.keep(t.path, "not in the list of tables"); err != nil {
				return err
			}
		}
	}
	return nil
}

// rebuild writes the entries that read into a table of the same name.
func (m *mending) rebuild(t *tableFile) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("rebuild %s: %w", filepath.Base(t.path), err)
		}
	}()
	f, err := os.Open(t.path)
	if err != nil {
		return err
	}
	defer f.Close()
	o := badgerOptions(m.dir, Options{Log: m.log})
	b := table.NewTableBuilder(table.Options{
		TableSize: uint64(o.BaseTableSize), BlockSize: o.BlockSize, BloomFalsePositive: o.BloomFalsePositive,
		Compression: t.codec, ZSTDCompressionLevel: o.ZSTDCompressionLevel,
	})
	defer b.Close()
	var in inflater
	for i, raw := range t.raw(f) {
		if t.blocks[i].err != nil {
			continue
		}
		plain, err := in.inflate(raw, t.codec)
		if err != nil {
			return err
		}
		entries, err := splitBlock(plain)
		if err != nil {
			return err
		}
		for _, e := range entries {
			var value y.ValueStruct
			value.Decode(e.value)
			b.Add(e.key, value, 0)
		}
	}
	fresh := filepath.Join(m.dir, damagedName, "rebuilt.sst")
	if err := writeFile(fresh, bytes.NewReader(b.Finish())); err != nil {
		return err
	}
	check := tableFile{path: fresh, codec: t.codec}
	if check.read(); check.err != nil || check.damage() != "" {
		return fmt.Errorf("what was written does not read: %s", check.damage())
	}
	if err := os.Rename(fresh, t.path); err != nil {
		return err
	}
	return syncDir(m.dir)
}

// wals cuts off what Badger would cut off, which it does not always do without
// harm: it trusts the lengths in a damaged entry.
func (m *mending) wals() error {
	counted := m.newest > 0 || m.side > 0
	for i, w := range m.survey.wals {
		name := filepath.Base(w.path)
		last := i == len(m.survey.wals)-1
		damaged := w.torn && (m.lost > 0 || !last || !counted)
		if damaged && m.lost > 0 {
			m.report.What = append(m.report.What, name+" is damaged")
		}
		if damaged || w.key != 0 {
			if err := m.keep(w.path, name+" is damaged"); err != nil {
				return err
			}
		}
		m.later(w.mend)
	}
	return nil
}

// mend leaves what reads in the log.
func (w wal) mend() error {
	if w.length < walHeader {
		return os.Remove(w.path)
	}
	f, err := os.OpenFile(w.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if w.key != 0 {
		if _, err := f.WriteAt(make([]byte, 8), 0); err != nil {
			return err
		}
	}
	if w.torn {
		if err := f.Truncate(int64(w.end)); err != nil {
			return err
		}
	}
	return f.Sync()
}

// registry takes away a list of encryption keys that Badger refuses. This store
// has none: what it seals, it seals above Badger.
func (m *mending) registry() error {
	const beforeText, text = 16, "Hello Badger"
	path := filepath.Join(m.dir, badger.KeyRegistryFileName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(b) == beforeText+len(text) && string(b[beforeText:]) == text {
		return nil
	}
	if err != nil {
		return err
	}
	return m.takeAway(path)
}

// valueLogs takes away value logs with anything in them. No value is ever put
// there (see valueThreshold), so that is damage.
func (m *mending) valueLogs() error {
	paths, err := filepath.Glob(filepath.Join(globSafe(m.dir), "*.vlog"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		// The header is that of a write-ahead log; its last 12 bytes are random.
		if len(b) >= walHeader && len(bytes.Trim(b[:8], "\x00")) == 0 && len(bytes.Trim(b[walHeader:], "\x00")) == 0 {
			continue
		}
		if err := m.takeAway(path); err != nil {
			return err
		}
	}
	return nil
}

func (m *mending) takeAway(path string) error {
	if err := m.keep(path, filepath.Base(path)+" is damaged; nothing is lost with it"); err != nil {
		return err
	}
	m.later(func() error { return os.Remove(path) })
	return nil
}

// discard takes away the file that counts garbage in the value log, which has
// none. Badger makes it again.
func (m *mending) discard() error {
	return ignoreGone(os.Remove(filepath.Join(m.dir, "DISCARD")))
}

// write adds the report to those of earlier openings.
func (m *mending) write() error {
	dir := filepath.Join(m.dir, damagedName)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, reportName), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	line := time.Now().UTC().Format(time.RFC3339) + " " + strings.ReplaceAll(m.report.Error(), "\n", " ") + "\n"
	_, err = f.WriteString(line)
	return errors.Join(err, f.Sync(), f.Close())
}
