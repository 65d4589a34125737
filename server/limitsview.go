package server

import "time"

// LimitsView is the gate and what stands before it at one moment: the answer of
// /debug/limits, which headroom top and the live page draw. Everything is of the
// one server that is asked, but for what says that it is the database's.
type LimitsView struct {
	At         time.Time      `json:"at"`
	Mode       Mode           `json:"mode"`
	Measured   []Rule         `json:"measured,omitempty"`
	Gate       string         `json:"gate"` // static, adaptive or off
	DatabaseUp bool           `json:"databaseUp"`
	Draining   bool           `json:"draining"`
	Cores      int            `json:"cores"`                // of the database
	Servers    int            `json:"servers,omitempty"`    // on the database; only of the adaptive gate
	Crowded    bool           `json:"crowded"`              // more interactive operations come than the database can do
	Kept       float64        `json:"kept"`                 // share of the clients that is served in a crowd
	Brownout   string         `json:"brownout,omitempty"`   // the rung of the ladder; absent on none
	BrownoutOf string         `json:"brownoutOf,omitempty"` // the id of the workspace that is on it alone
	Slowdown   float64        `json:"slowdown"`             // how many times longer than forecast operations take
	Headroom   *HeadroomView  `json:"headroom,omitempty"`   // absent until a minute has passed
	Demotion   DemotionView   `json:"demotion"`
	Slots      SlotsView      `json:"slots"`
	Orders     []OrderView    `json:"orders"` // of operators, in force
	Classes    []ClassView    `json:"classes"`
	Asked      float64        `json:"asked"`   // points, by all in the last minute, but for those of a block
	Askers     []SpenderView  `json:"askers"`  // workspace, operation and client together that asked for most in the last minute; any operation or client where that scatters
	Tenants    []SpenderView  `json:"tenants"` // of the last minute, as the following ones
	Operations []SpenderView  `json:"operations"`
	Clients    []SpenderView  `json:"clients"`
	Running    []RunningView  `json:"running"`   // the oldest ones
	Decisions  []DecisionView `json:"decisions"` // about requests, the newest first
	Changes    []DecisionView `json:"changes"`   // of the gate, the newest first
	Seconds    []SecondView   `json:"seconds,omitempty"`
}

// HeadroomView is the work that the database's cores allow over the busiest minute's.
type HeadroomView struct {
	Ratio float64    `json:"ratio"` // of this week and the last
	Weeks []WeekView `json:"weeks"` // the latest first
}

// WeekView is the headroom of a week.
type WeekView struct {
	Week       string  `json:"week"` // its Monday
	Ratio      float64 `json:"ratio"`
	PeakWorkMs int64   `json:"peakWorkMs"` // in the busiest minute
}

// DemotionView says whether report backends yield the processor, and why not.
type DemotionView struct {
	State string `json:"state"` // yielding, refused or none
	Found string `json:"found,omitempty"`
}

// SlotsView are the report slots of the whole database.
type SlotsView struct {
	Taken *int `json:"taken"` // null: not known
	All   int  `json:"all"`
}

// ClassView is a class's part of the gate. Times are in milliseconds.
type ClassView struct {
	Class       string            `json:"class"`
	Seats       int               `json:"seats"`
	Busy        int               `json:"busy"`
	Queued      int               `json:"queued"`
	Admitted    uint64            `json:"admitted"`
	WaitedMs    float64           `json:"waitedMs"`
	HeldMs      float64           `json:"heldMs"`     // a seat, on average of late
	RunningMs   float64           `json:"runningMs"`  // forecast work
	WaitingMs   float64           `json:"waitingMs"`  // forecast work
	PromisedMs  float64           `json:"promisedMs"` // forecast work of those who were told when to come back
	AbsorbMs    float64           `json:"absorbMs"`   // until all that is worked off
	Refused     map[string]uint64 `json:"refused"`
	WouldRefuse map[string]uint64 `json:"wouldRefuse"`
}

// SpenderView is what somebody asked for and got in the last minute.
type SpenderView struct {
	WorkspaceID int64   `json:"workspaceId,omitempty"`
	Workspace   string  `json:"workspace,omitempty"`
	Operation   string  `json:"operation,omitempty"` // NAME#HASH
	Client      string  `json:"client,omitempty"`    // NAME@VERSION
	Asked       float64 `json:"asked"`               // points quoted, refused ones too but for those of a block
	Work        float64 `json:"work"`                // points taken: about milliseconds of database and server time
	Share       float64 `json:"share"`               // of all that was asked
	Ran         int64   `json:"ran"`                 // running ones too
	Refused     int64   `json:"refused"`
	Late        int64   `json:"late"` // ended by their deadline
	WaitedMs    float64 `json:"waitedMs"`
	Blocked     bool    `json:"blocked,omitempty"` // an operator's order refuses them; told of askers
	Block       string  `json:"block,omitempty"`   // what headroom gate block takes to refuse them and few others; told of askers
}

// RunningView is an operation that holds a seat.
type RunningView struct {
	Request   string  `json:"request"`
	Class     string  `json:"class"`
	Workspace string  `json:"workspace,omitempty"`
	Operation string  `json:"operation"`
	Client    string  `json:"client,omitempty"`
	Points    float64 `json:"points"`
	Ms        float64 `json:"ms"`
}

// DecisionView is a decision with its reason; equal ones of ten seconds are one.
type DecisionView struct {
	At           time.Time `json:"at"`
	Verdict      string    `json:"verdict"` // refused, ran, ended or gate
	Class        string    `json:"class"`
	Code         string    `json:"code,omitempty"`
	Reason       string    `json:"reason"`
	Why          string    `json:"why"`
	Count        int       `json:"count"`
	Request      string    `json:"request,omitempty"` // the first one's id
	WorkspaceID  int64     `json:"workspaceId,omitempty"`
	Workspace    string    `json:"workspace,omitempty"`
	Operation    string    `json:"operation,omitempty"`
	Client       string    `json:"client,omitempty"`
	Points       float64   `json:"points,omitempty"`
	WaitMs       float64   `json:"waitMs,omitempty"`
	RetryAfterMs int64     `json:"retryAfterMs,omitempty"`
}

// SecondView is one second of the past. Its lists have a value for each class, in
// the order of LimitsView.Classes.
type SecondView struct {
	At       int64     `json:"at"` // Unix
	Ran      []int     `json:"ran"`
	Refused  []int     `json:"refused"`
	Busy     []int     `json:"busy"`
	Seats    []int     `json:"seats"`
	Queued   []int     `json:"queued"`
	Work     float64   `json:"work"` // points taken
	Absorb   []float64 `json:"absorbMs"`
	Slowdown float64   `json:"slowdown"`
	Crowded  bool      `json:"crowded,omitempty"`
}

// Blame is how much speaks for having found who it is: of two that asked for as much
// the one that names more.
func (v SpenderView) Blame() float64 { return blame(v.Asked, v.Operation, v.Client) }
