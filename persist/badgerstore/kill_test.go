package badgerstore_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"tombolo/persist"
	"tombolo/persist/badgerstore"
)

const (
	killEnv  = "TOMBOLO_BADGERSTORE_KILL" // the directory to write in
	killFrom = "TOMBOLO_BADGERSTORE_FROM" // the number of the first batch
)

// TestKilled kills a process that writes, at moments that are spread over
// filling memtables, writing tables and merging them. Whatever was acknowledged
// has to be there, and nothing may be taken for damage.
func TestKilled(t *testing.T) {
	if dir := os.Getenv(killEnv); dir != "" {
		writeUntilKilled(t, dir)
		return
	}
	kills := 4
	if n, err := strconv.Atoi(os.Getenv("KILLS")); err == nil {
		kills = n
	}
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(5, 5))
	next := 0
	for range kills {
		next = killAfter(t, dir, next, 1+random.IntN(200))
		s, err := badgerstore.Open(dir, nil)
		if err != nil {
			t.Fatalf("after %d batches: %v", next, err)
		}
		if err := s.Check(context.Background()); err != nil {
			t.Errorf("after %d batches: %v", next, err)
		}
		for i := range next {
			v, err := s.Get(context.Background(), []byte(killKey(i)))
			if err != nil || !bytes.Equal(v, killValue(i)) {
				t.Fatalf("batch %d of %d is lost: %d bytes, %v", i, next, len(v), err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if random.IntN(2) == 0 { // a kill right after another one
			next = killAfter(t, dir, next, 1)
		}
	}
	t.Logf("%d kills, %d batches acknowledged", kills, next)
}

// killAfter runs a writer from batch number from on, kills it when it has
// acknowledged so many, and returns the number of the first one that it had not.
func killAfter(t *testing.T, dir string, from, batches int) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), killEnv+"="+dir, killFrom+"="+strconv.Itoa(from))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	next := from
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Errorf("the writer says %q", lines.Text())
			break
		}
		if next = n + 1; next == from+batches {
			cmd.Process.Kill() // what it had acknowledged until then is read to the end
		}
	}
	cmd.Wait()
	if next < from+batches {
		t.Fatalf("the writer ended after %d of %d batches: %s", next-from, batches, stderr.Bytes())
	}
	return next
}

func writeUntilKilled(t *testing.T, dir string) {
	s, err := badgerstore.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	from, err := strconv.Atoi(os.Getenv(killFrom))
	if err != nil {
		t.Fatal(err)
	}
	for i := from; ; i++ {
		b := &persist.Batch{}
		b.Put([]byte(killKey(i)), killValue(i))
		b.Put([]byte("latest"), killValue(i)) // something to merge
		if err := s.Apply(context.Background(), b); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString(strconv.Itoa(i) + "\n")
	}
}

func killKey(i int) string { return fmt.Sprintf("%02x/%06d", i%61, i) }

func killValue(i int) []byte {
	v := make([]byte, 60<<10)
	rand.NewChaCha8([32]byte{byte(i), byte(i >> 8), 4}).Read(v)
	return v
}
