package backup

// NewPlainReader is NewReader for an archive that is not compressed.
var NewPlainReader = newReader

// CheapPassphrases has passphrases cost what they cost in a test, and no more.
func CheapPassphrases() { workFactor = 4 }
