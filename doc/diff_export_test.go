package doc

// ValueAt is the whole value at heads, read without the difference of anything.
func (d *Doc) ValueAt(heads []Hash) (any, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v, err := d.set.At(heads)
	if err != nil {
		return nil, err
	}
	return readerOf(d.set, v).get("")
}
