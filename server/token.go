package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"strings"
	"sync"
	"time"

	"headroom/timesheet"
)

// Tokens are authenticated and not looked up: a forged or expired one is
// refused without I/O. The text is hr_<payload>_<mac>; of a claim, hc_.
const (
	tokenPrefix = "hr_"
	claimPrefix = "hc_"
	macBytes    = 16
)

// Keys sign tokens, claims and links to exports, each by a key of its own derived from the
// server's secret.
type Keys struct {
	token, claim, link *macKey
}

// NewKeys derives the keys. Replicas need the same secret.
func NewKeys(secret []byte) Keys {
	return Keys{token: newMacKey(derive(secret, "token")), claim: newMacKey(derive(secret, "claim")), link: newMacKey(derive(secret, "link"))}
}

func derive(secret []byte, purpose string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("headroom " + purpose))
	return h.Sum(nil)
}

// credential is what a token's text says.
type credential struct {
	workspace timesheet.WorkspaceID
	user      timesheet.UserID
	token     timesheet.TokenID
	scope     timesheet.Scope
	expires   time.Time // zero: never
}

// MintToken is the text of a token.
func (k Keys) MintToken(ws timesheet.WorkspaceID, t timesheet.Token) string {
	scope, expires := int64(0), int64(0)
	if t.Scope == timesheet.ScopeWrite {
		scope = 1
	}
	if t.ExpiresAt != nil {
		expires = t.ExpiresAt.Unix()
	}
	return sign(tokenPrefix, k.token, int64(ws), int64(t.UserID), int64(t.ID), scope, expires)
}

func (k Keys) readToken(text string, now time.Time) (credential, bool) {
	v, ok := verify(tokenPrefix, k.token, text, 5)
	if !ok {
		return credential{}, false
	}
	c := credential{
		workspace: timesheet.WorkspaceID(v[0]), user: timesheet.UserID(v[1]), token: timesheet.TokenID(v[2]),
		scope: timesheet.ScopeRead,
	}
	if v[3] == 1 {
		c.scope = timesheet.ScopeWrite
	}
	if v[4] != 0 {
		c.expires = time.Unix(v[4], 0)
	}
	return c, c.expires.IsZero() || now.Before(c.expires)
}

// MintClaim is the text of an invitation.
func (k Keys) MintClaim(ws timesheet.WorkspaceID, user timesheet.UserID, claim int64) string {
	return sign(claimPrefix, k.claim, int64(ws), int64(user), claim)
}

// ReadClaim checks the text of an invitation; whether it is still open, the
// store knows.
func (k Keys) ReadClaim(text string) (ws timesheet.WorkspaceID, user timesheet.UserID, claim int64, ok bool) {
	v, ok := verify(claimPrefix, k.claim, text, 3)
	if !ok {
		return 0, 0, 0, false
	}
	return timesheet.WorkspaceID(v[0]), timesheet.UserID(v[1]), v[2], true
}

func sign(prefix string, key *macKey, values ...int64) string {
	var payload []byte
	for _, v := range values {
		payload = binary.AppendVarint(payload, v)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return prefix + encode(payload) + "_" + encode(key.mac(payload))
}

func verify(prefix string, key *macKey, text string, n int) ([]int64, bool) {
	macLen := base64.RawURLEncoding.EncodedLen(macBytes)
	body, ok := strings.CutPrefix(text, prefix)
	split := len(body) - macLen - 1
	if !ok || split < 1 || len(body) > 200 || body[split] != '_' {
		return nil, false
	}
	payload, err := strict.DecodeString(body[:split])
	if err != nil {
		return nil, false
	}
	sum, err := strict.DecodeString(body[split+1:])
	if err != nil || !hmac.Equal(sum, key.mac(payload)) {
		return nil, false
	}
	values := make([]int64, n)
	for i := range values {
		v, size := binary.Varint(payload)
		if size <= 0 {
			return nil, false
		}
		values[i], payload = v, payload[size:]
	}
	return values, len(payload) == 0
}

// strict decodes the one text of each value, and no other.
var strict = base64.RawURLEncoding.Strict()

// macKey keeps what a key's checks begin with: half of the work of each.
type macKey struct{ idle sync.Pool }

func newMacKey(key []byte) *macKey {
	return &macKey{sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

func (k *macKey) mac(payload []byte) []byte {
	h := k.idle.Get().(hash.Hash)
	defer k.idle.Put(h)
	h.Reset()
	h.Write(payload)
	return h.Sum(nil)[:macBytes]
}
