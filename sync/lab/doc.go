// Package lab runs sync.Core on simulated devices: links that drop what is under way, disks that fill up, crashes that lose
// everything but the disk, and a clock that only moves when nothing else does. Stories (testdata/*.txtar) say what must happen in one
// case; a property test draws thousands of others. Everything follows from a seed.
package lab
