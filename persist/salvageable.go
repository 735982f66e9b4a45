package persist

// Salvageable has the letters of the keys that are of use in a store that is
// put together from the files of a damaged one: headers, records, what was set
// aside, settings. Caches are made again. The format and the next number are
// for the new store to know, and what was to be deleted goes with the old one.
const Salvageable = string(prefixHeader) + string(prefixRecord) + string(prefixAside) + string(prefixSettings)
