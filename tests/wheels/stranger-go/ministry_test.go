package ministry

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

const subject = "report.intel.document.flagged"

var referral = Fields{"from": "GTM", "to": "SLV", "urgency": "danger"}

func report(kind, id, time, subject, data string) []byte {
	return []byte(`{"specversion":"1.0","id":"` + id + `","source":"urn:crm:country:GTM:sicam","type":"` + kind +
		`","time":"` + time + `","subject":"` + subject + `","datacontenttype":"application/json","data":` + data + `}`)
}

func flagged(id, now, issuing string) []byte {
	return report("crm.intel.document.flagged.v1", id, now, "doc-1", `{"doc_code":"PP","issuing":"`+issuing+
		`","fraud_type":"photo_substitution","detected_by":"second_line","reported_by":"immigration"}`)
}

func TestAReportIsStoredAndRecorded(t *testing.T) {
	crm := fresh(t)
	answer, err := crm.connected("GTM").Request(subject, flagged("go-1", crm.Now, "HND"), 5*time.Second)
	must(t, err)
	if !strings.Contains(string(answer.Data), `"INTAKE_GTM"`) {
		t.Fatalf("not stored: %s", answer.Data)
	}
	if found := crm.outcome("GTM", "intel", "go-1"); found.Outcome != "recorded" || found.Event.Country != "GTM" {
		t.Fatal(found)
	}
}

func TestAReportSentTwiceIsRecordedOnce(t *testing.T) {
	crm := fresh(t)
	nc := crm.connected("GTM")
	for range []int{1, 2} {
		_, err := nc.Request(subject, flagged("go-1", crm.Now, "HND"), 5*time.Second)
		must(t, err)
	}
	crm.settled()
	if found := crm.log("intel", "intel.document.flagged"); len(found) != 1 {
		t.Fatal(found)
	}
}

func TestWhatIsWrongIsToldWithItsReason(t *testing.T) {
	crm := fresh(t)
	_, err := crm.connected("GTM").Request(subject, flagged("go-1", crm.Now, "HN"), 5*time.Second)
	must(t, err)
	found := crm.outcome("GTM", "intel", "go-1")
	if found.Outcome != "refused" || found.Problems[0].Pointer != "/data/issuing" {
		t.Fatal(found)
	}
}

// The mailbox is opened by the client's ordinary calls; what was read is acknowledged, and the answer refers to it.
func TestTheMailboxIsReadAndAnswered(t *testing.T) {
	crm := fresh(t)
	crm.tell("SLV", "victims.referral.sent", Fields{"referral_id": "ref-1", "from": "SLV", "to": "GTM", "urgency": "danger"})
	nc := crm.connected("GTM")
	js, err := nc.JetStream(nats.Domain("CRM"))
	must(t, err)
	began := time.Now()
	mailbox, err := js.PullSubscribe("", "", nats.Bind("MAILBOX", "GTM"))
	must(t, err)
	if took := time.Since(began); took > 2*time.Second {
		t.Fatalf("it took %v to open the mailbox", took)
	}
	offered := next(t, mailbox, "crm.victims.referral.offered.v2", "crm.victims.referral.offered.v1")
	_, err = nc.Request("report.victims.referral.accepted", report("crm.victims.referral.accepted.v1", "go-2", offered.Time,
		"ref-1", `{"referral_id":"`+offered.Data["referral_id"].(string)+`","reported_by":"ngo"}`), 5*time.Second)
	must(t, err)
	if found := crm.outcome("GTM", "victims", "go-2"); found.Outcome != "recorded" {
		t.Fatal(found)
	}
	crm.settled()
	for _, told := range crm.mailbox("SLV", "victims.alert.issued") {
		if told.Data["kind"] == "referral_accepted" {
			return
		}
	}
	t.Fatal("the sender is told nothing")
}

func next(t *testing.T, mailbox *nats.Subscription, kinds ...string) (event Event) {
	t.Helper()
	for {
		messages, err := mailbox.Fetch(1, nats.MaxWait(5*time.Second))
		must(t, err)
		must(t, json.Unmarshal(messages[0].Data, &event))
		must(t, messages[0].AckSync())
		for _, kind := range kinds {
			if event.Type == kind {
				return event
			}
		}
	}
}

func TestNobodyOpensAnothersMailbox(t *testing.T) {
	crm := fresh(t)
	crm.tell("HND", "intel.document.flagged", Fields{})
	crm.settled()
	js, err := crm.connected("GTM").JetStream(nats.Domain("CRM"), nats.MaxWait(time.Second))
	must(t, err)
	mailbox, err := js.PullSubscribe("", "", nats.Bind("MAILBOX", "HND"))
	if err != nil {
		return
	}
	if messages, err := mailbox.Fetch(1, nats.MaxWait(time.Second)); err == nil {
		t.Fatalf("%d messages of another country", len(messages))
	}
}

func TestSilenceClimbsTheLadder(t *testing.T) {
	crm := fresh(t)
	crm.tell("GTM", "victims.referral.sent", referral)
	crm.advance("31d")
	if steps := crm.log("victims", "victims.referral.escalated"); len(steps) != 3 {
		t.Fatal(steps)
	}
	if lapsed := crm.log("victims", "victims.referral.lapsed"); len(lapsed) != 1 {
		t.Fatal(lapsed)
	}
}

func TestAnAnswerMovesTheFigure(t *testing.T) {
	crm := fresh(t)
	crm.post("/robots", Fields{
		"country": "SLV", "script": Fields{"victims.referral.offered": "victims.referral.accepted"},
	}, &Fields{})
	crm.tell("GTM", "victims.referral.sent", referral)
	if figure := crm.figure("VA-5.1b", "SLV"); figure != "1/1" {
		t.Fatal(figure)
	}
}

func TestACutLinkLosesNothing(t *testing.T) {
	crm := fresh(t)
	nc := crm.connected("GTM", nats.ReconnectWait(100*time.Millisecond), nats.MaxReconnects(-1))
	crm.post("/faults", Fields{"country": "GTM", "link": "cut"}, &Fields{})
	if _, err := nc.Request(subject, flagged("go-1", crm.Now, "HND"), 500*time.Millisecond); err == nil {
		t.Fatal("there was an answer")
	}
	crm.post("/faults", Fields{"country": "GTM", "link": "mend"}, &Fields{})
	for {
		if _, err := nc.Request(subject, flagged("go-1", crm.Now, "HND"), 2*time.Second); err == nil {
			break
		}
	}
	if found := crm.outcome("GTM", "intel", "go-1"); found.Outcome != "recorded" {
		t.Fatal(found)
	}
}

func TestWhatIsWrongWithAQuestionToTheTestbedIsTold(t *testing.T) {
	crm := fresh(t)
	err := ask("POST", "/systems/"+crm.ID+"/clock", Fields{"advance": "soon"}, &Fields{})
	if err == nil || !strings.HasPrefix(err.Error(), "400: a span of time") {
		t.Fatal(err)
	}
	if err := ask("GET", "/systems/"+crm.ID+"/figures/XX-0", nil, &Fields{}); err == nil {
		t.Fatal("there is no such row")
	}
}
