package gate

import "hash/maphash"

// index finds the position of a hash: open addressing over positions, 5 to 11 bytes a change where a Go map would take 40 to 85. The
// seed keeps a writer who chooses hashes from filling one corner of it.
type index struct {
	slots []uint32 // position+1; 0 is empty; the length is a power of two
	seed  maphash.Seed
}

// slot is where h is or would be.
func (x *index) slot(nodes []node, h Hash) int {
	mask := len(x.slots) - 1
	i := int(maphash.Bytes(x.seed, h[:])) & mask
	for x.slots[i] != 0 && nodes[x.slots[i]-1].hash != h {
		i = (i + 1) & mask
	}
	return i
}

func (x *index) find(nodes []node, h Hash) (uint32, bool) {
	if len(x.slots) == 0 {
		return 0, false
	}
	at := x.slots[x.slot(nodes, h)]
	return at - 1, at != 0
}

// insert records the position of a node whose hash is new, the last of nodes.
func (x *index) insert(nodes []node, pos uint32) {
	if len(nodes)*4 > len(x.slots)*3 {
		x.rebuild(nodes)
		return
	}
	x.slots[x.slot(nodes, nodes[pos].hash)] = pos + 1
}

// rebuild makes the index of exactly nodes, with room to grow to 3/4.
func (x *index) rebuild(nodes []node) {
	size := 4
	for size*3 < len(nodes)*4 {
		size *= 2
	}
	x.slots = make([]uint32, size)
	for pos := range nodes {
		x.slots[x.slot(nodes, nodes[pos].hash)] = uint32(pos) + 1
	}
}
