package tombolo

import (
	"crypto/rand"
	"io"
	"log/slog"
	"time"

	"tombolo/persist"
	"tombolo/schema"
)

// Options adjusts an Engine. The zero value is a good engine.
type Options struct {
	App         string           // the application that named documents belong to; empty is an application too
	Name        string           // what people call this device, used when the directory is new; empty means the host's name
	Listen      []string         // multiaddrs to listen on; nil means TCP on all interfaces, any port
	NoDiscovery bool             // do not look for devices, nor show this one, on the local network
	Store       persist.Store    // where documents are kept, closed with the engine; nil means Badger in the directory. One with a method Check(context.Context) error, as persist/sealed has, is asked at opening
	Unlock      Unlock           // what opens a sealed directory, asked once, in Open; it makes one of a directory without data. nil: the directory is not sealed
	Copied      Copied           // what a directory is that turns out to be a copy of another; zero means that Open asks, by a CopiedError
	Node        bool             // a device that serves others, with memory to spare: larger caches in the directory's store
	Offline     bool             // no network at all: documents, invitations and settings only
	MaxDocument int              // bytes of memory that a document may grow to; zero means 1 GiB, about 20 million operations. Larger ones open, and take no more
	Save        Saving           // when changes go to the disk: Durable, a Coalesce or Never; nil means Durable. An option of Open goes before it
	Debug       []string         // parts that say in the log what they do, without contents and names: "persist", "sync", "schema"; nil means none
	Schemas     []*schema.Schema // those of this program's documents: it does not write to a document of their Apps that they say it may not write to. Nil restricts nothing
	Log         *slog.Logger     // receives what an operator may want to know; nil discards it
	Now         func() time.Time // the clock for changes and records; nil means time.Now
	Rand        io.Reader        // randomness for keys, IDs and actors; nil means crypto/rand

	forking *forking // set by Fork
}

func (o *Options) withDefaults() Options {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Save == nil {
		out.Save = Durable
	}
	if out.Log == nil {
		out.Log = slog.New(slog.DiscardHandler)
	}
	if out.MaxDocument == 0 {
		out.MaxDocument = 1 << 30
	}
	if out.Now == nil {
		out.Now = time.Now
	}
	if out.Rand == nil {
		out.Rand = rand.Reader
	}
	return out
}
