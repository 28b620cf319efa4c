// What a suite in Go needs of `crm testbed`: a fresh system for each test, and a country's own connection.
package ministry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// Fields is a JSON object.
type Fields map[string]interface{}

// Outcome says what became of a report: "recorded", "refused" or "waiting".
type Outcome struct {
	Outcome  string
	Event    Event
	Problems []struct{ Code, Pointer string }
}

// Event is what a service has recorded.
type Event struct {
	ID, Type, Subject, Time, Country string
	Data                             Fields
}

// System is one region, and the test that it is for.
type System struct {
	t         *testing.T
	ID, Board string
	Now       string
}

func bed() string {
	if address := os.Getenv("CRM_TESTBED"); address != "" {
		return address
	}
	return "http://127.0.0.1:4280"
}

func ask(method, path string, body, into interface{}) error {
	sent, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(method, bed()+path, bytes.NewReader(sent))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		var wrong struct{ Detail string }
		json.NewDecoder(answer.Body).Decode(&wrong)
		return fmt.Errorf("%d: %s", answer.StatusCode, wrong.Detail)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

func fresh(t *testing.T) *System {
	t.Helper()
	crm := &System{t: t}
	must(t, ask("POST", "/systems", Fields{}, crm))
	t.Cleanup(func() { must(t, ask("DELETE", "/systems/"+crm.ID, nil, &Fields{})) })
	return crm
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (crm *System) get(path string, into interface{}) {
	crm.t.Helper()
	must(crm.t, ask("GET", "/systems/"+crm.ID+path, nil, into))
}

func (crm *System) post(path string, body Fields, into interface{}) {
	crm.t.Helper()
	must(crm.t, ask("POST", "/systems/"+crm.ID+path, body, into))
}

func (crm *System) tell(country, name string, fields Fields) (found Outcome) {
	crm.t.Helper()
	crm.post("/reports", Fields{"country": country, "name": name, "fields": fields}, &found)
	return found
}

func (crm *System) outcome(country, service, id string) (found Outcome) {
	crm.t.Helper()
	crm.get("/outcomes/"+country+"/"+service+"/"+id, &found)
	return found
}

func (crm *System) log(service, name string) (found []Event) {
	crm.t.Helper()
	crm.get("/log/"+service+"?name="+name, &found)
	return found
}

func (crm *System) mailbox(country, name string) (found []Event) {
	crm.t.Helper()
	crm.get("/mailbox/"+country+"?name="+name, &found)
	return found
}

func (crm *System) advance(span string) {
	crm.t.Helper()
	crm.post("/clock", Fields{"advance": span}, &Fields{})
}

func (crm *System) settled() {
	crm.t.Helper()
	crm.post("/settled", Fields{}, &Fields{})
}

// figure returns a row of the Plan of one country, as "numerator/denominator".
func (crm *System) figure(row, country string) string {
	crm.t.Helper()
	var found struct {
		Values []struct{ Numerator, Denominator float64 }
	}
	crm.get("/figures/"+row+"?country="+country, &found)
	if len(found.Values) != 1 {
		crm.t.Fatalf("%d values", len(found.Values))
	}
	return fmt.Sprintf("%v/%v", found.Values[0].Numerator, found.Values[0].Denominator)
}

// connected returns a country's own connection, by its key.
func (crm *System) connected(country string, more ...nats.Option) *nats.Conn {
	crm.t.Helper()
	var found struct{ Address, Seed string }
	crm.post("/countries/"+country, Fields{}, &found)
	pair, err := nkeys.FromSeed([]byte(found.Seed))
	must(crm.t, err)
	public, err := pair.PublicKey()
	must(crm.t, err)
	nc, err := nats.Connect(found.Address, append(more, nats.Nkey(public, pair.Sign), nats.Timeout(5*time.Second))...)
	must(crm.t, err)
	crm.t.Cleanup(nc.Close)
	return nc
}
