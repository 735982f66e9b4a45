package main

import (
	"context"

	"tombolo"
	"tombolo/mirror"
)

// hiddenState is a mirror's state in a device's directory: where that is sealed, the state is, too. It names a document.
type hiddenState struct {
	eng   *tombolo.Engine
	place string // what the state is bound to
	in    mirror.State
}

func (s hiddenState) Load(ctx context.Context) ([]byte, error) {
	b, err := s.in.Load(ctx)
	if err != nil || len(b) == 0 {
		return nil, err
	}
	return s.eng.Reveal(s.place, b)
}

func (s hiddenState) Save(ctx context.Context, data []byte) error {
	return s.in.Save(ctx, s.eng.Hide(s.place, data))
}
