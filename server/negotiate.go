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
	all := strings.Join(accept, ",")
	if strings.Trim(all, " \t,") == "" {
		return mediaJSON, true
	}
	best := 0.0
	for part := range strings.SplitSeq(all, ",") {
		name, q, ok := readRange(part)
		offer := offerFor(name)
		if !ok || offer == "" {
			continue
		}
		if q > best || q == best && q > 0 && offer == mediaGraphQL && name == mediaGraphQL {
			media, best = offer, q
		}
	}
	return media, best > 0
}

// readRange reads one media range and its quality. It is not ok where it cannot be
// read, or asks for another charset than ours. What clients send needs no
// library: a name, or a name and a quality.
func readRange(part string) (name string, q float64, ok bool) {
	name, rest, more := strings.Cut(part, ";")
	name = strings.ToLower(strings.TrimSpace(name))
	if !more {
		return name, 1, true
	}
	if number, only := strings.CutPrefix(strings.TrimSpace(rest), "q="); only && !strings.ContainsAny(number, ";\"") {
		return name, quality(number), true
	}
	name, params, err := mime.ParseMediaType(part)
	charset := params["charset"]
	return name, quality(params["q"]), err == nil && (charset == "" || strings.EqualFold(charset, "utf-8"))
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
