package persist

import "encoding/binary"

// Portable reports whether an entry of a log's store belongs in a copy of it
// for another place: caches can be made again, and what is left of removed
// documents is to go. Records under a removed document's number may come along,
// and are out of reach there, too.
func Portable(key []byte) bool {
	return len(key) > 0 && key[0] != prefixCache && key[0] != prefixGarbage
}

// HeaderOf gives the document whose header lies under a key of the store.
func HeaderOf(key []byte) (Name, bool) {
	if len(key) == 0 || key[0] != prefixHeader {
		return Name{}, false
	}
	return parseHeaderKey(key)
}

// HeaderKey is the key of a document's header.
func HeaderKey(name Name) []byte { return headerKey(name) }

// IsFormat reports whether a key is that of the format record, without which a
// store is no log.
func IsFormat(key []byte) bool { return len(key) == 1 && key[0] == prefixFormat }

// RecordOf gives the number of the document that a change or pack under a key
// of the store belongs to, see Header. In key order, records come after all
// headers, and those of one number together.
func RecordOf(key []byte) (num uint64, ok bool) {
	if len(key) != 19 || key[0] != prefixRecord {
		return 0, false
	}
	return binary.BigEndian.Uint64(key[1:]), true
}

// SettingOf gives what Settings calls a key of the store.
func SettingOf(key []byte) ([]byte, bool) {
	if len(key) == 0 || key[0] != prefixSettings {
		return nil, false
	}
	return key[1:], true
}

// SettingEntry is a setting as an entry of the store, for one being filled.
func SettingEntry(key, value []byte) Entry { return Entry{Key: settingsKey(key), Value: value} }
