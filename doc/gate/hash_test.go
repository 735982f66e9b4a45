package gate_test

import (
	"encoding/json"
	"testing"

	"tombolo/doc/gate"
)

func TestHashInJSON(t *testing.T) {
	h := gate.Hash{1, 2, 0xff}
	b, err := json.Marshal(h)
	if err != nil || string(b) != `"`+h.String()+`"` {
		t.Fatalf("%s, %v", b, err)
	}
	var back gate.Hash
	if err := json.Unmarshal(b, &back); err != nil || back != h {
		t.Fatalf("%v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`"xyz"`), &back); err == nil || back != h {
		t.Error("a malformed hash is taken")
	}
}
