package tombolo

import (
	"context"
	"fmt"
)

// checkStore asks a store that can tell (persist/badgerstore, persist/sealed) whether it has what it was left with. If not, that is no reason to keep the
// documents from their owner: each is checked when it is read. But it has to be said.
func (e *Engine) checkStore(ctx context.Context) error {
	store, can := e.store.(interface{ Check(context.Context) error })
	if !can {
		return nil
	}
	err := store.Check(ctx)
	if ctx.Err() != nil {
		return fmt.Errorf("check the store: %w", ctx.Err())
	}
	if err != nil {
		e.opts.Log.Warn("the store is not as it was left; what is missing comes back from other devices", "err", err)
	}
	return nil
}
