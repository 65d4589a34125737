package store

type viewerCache struct{}

func (*viewerCache) stop() {}
