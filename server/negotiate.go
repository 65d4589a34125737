package server

import (
	"mime"
	"strconv"
	"strings"
)

// The two media types of answers.
const (
	mediaGraphQL = "application/graphql-response+json"
	mediaJSON    = "application/json"
)

// negotiate chooses the answer's media type by the q-values of Accept. Types
// that stream are ignored: Apollo iOS and urql name them on every request,
// whatever the document needs. ok is false where neither type is acceptable.
func negotiate(accept []string) (media string, ok bool) {
	if strings.TrimSpace(strings.Join(accept, "")) == "" {
		return mediaJSON, true
	}
	best := 0.0
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		name, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		offer := offerFor(name)
		q := quality(params["q"])
		if charset := params["charset"]; offer == "" || charset != "" && !strings.EqualFold(charset, "utf-8") {
			continue
		}
		if q > best || q == best && q > 0 && offer == mediaGraphQL && name == mediaGraphQL {
			media, best = offer, q
		}
	}
	return media, best > 0
}

func offerFor(name string) string {
	switch name {
	case mediaGraphQL:
		return mediaGraphQL
	case mediaJSON, "application/*", "*/*":
		return mediaJSON
	}
	return ""
}

func quality(q string) float64 {
	if q == "" {
		return 1
	}
	v, err := strconv.ParseFloat(q, 64)
	if err != nil || v < 0 || v > 1 {
		return 0
	}
	return v
}
