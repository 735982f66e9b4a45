package tombolo

import (
	"time"

	"tombolo/doc"
)

// Device is one installation of an engine, as people and machines name it.
type Device struct {
	Peer string `json:"peer"` // libp2p peer ID
	Name string `json:"name"`
}

// Status is where everything stands. It marshals to JSON as `peer status --json` prints it.
type Status struct {
	Device    Device           `json:"device"`
	Addrs     []string         `json:"addrs"`            // where this device can be reached; empty when offline
	Paused    bool             `json:"paused,omitempty"` // no connections until Resume
	Store     StoreStatus      `json:"store"`
	Spaces    []SpaceStatus    `json:"spaces"`
	Peers     []PeerStatus     `json:"peers"`
	Documents []DocumentStatus `json:"documents"`
}

// SpaceStatus is one space and its members.
type SpaceStatus struct {
	ID      string         `json:"id"`
	Name    string         `json:"name"`
	Home    bool           `json:"home"`
	Role    string         `json:"role"` // this device's
	Members []MemberStatus `json:"members"`
}

// MemberStatus is a device that belongs to a space.
type MemberStatus struct {
	Device
	Role string `json:"role"`
}

// PeerStatus is the connection to another device.
type PeerStatus struct {
	Device
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since,omitzero"` // of the connection, or of its loss; zero if there was none since the start
	Addr      string    `json:"addr,omitempty"`
	Error     string    `json:"error,omitempty"` // why there is no connection
	Sent      uint64    `json:"sent"`            // bytes since the start, without encryption's
	Received  uint64    `json:"received"`
}

// DocumentStatus says which device has which version of a document on its disk.
type DocumentStatus struct {
	URL     string    `json:"url"`
	App     string    `json:"app,omitempty"`
	Name    string    `json:"name,omitempty"`
	State   string    `json:"state"`             // "ready", "loading", "read-only" or "quarantined"
	Problem string    `json:"problem,omitempty"` // why it is quarantined, or what makes it read-only by itself
	Deleted time.Time `json:"deleted,omitzero"`  // zero for a document that is not
	Changes uint64    `json:"changes"`

	Schema    []SchemaVersion `json:"schema,omitempty"`    // versions of a schema that wrote to it, ascending; without those of headers of an earlier version
	MinWriter int             `json:"minWriter,omitempty"` // the least version that may write to it; 0 for any

	Heads   []doc.Hash     `json:"heads"`
	Devices []DeviceStatus `json:"devices"` // this device first, then the other members
}

// DeviceStatus is what is known of one device's copy of a document.
type DeviceStatus struct {
	Device
	Self      bool       `json:"self,omitempty"`
	Connected bool       `json:"connected"`
	Heads     []doc.Hash `json:"heads"`          // on its disk, as it last said; nil if it never did
	Durable   bool       `json:"durable"`        // these are this device's heads: it has everything on its disk
	Since     time.Time  `json:"since,omitzero"` // when it said so
}
