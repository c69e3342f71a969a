package store

import "context"

// DeleteExcept removes the objects whose names start with prefix, other than
// those in keep; nil keeps none.
func DeleteExcept(ctx context.Context, s Store, prefix string, keep map[string]bool) error {
	list, err := s.List(ctx, prefix)
	if err != nil {
		return err
	}
	for _, info := range list {
		if keep[info.Name] {
			continue
		}
		if err := s.Delete(ctx, info.Name); err != nil {
			return err
		}
	}
	return nil
}
