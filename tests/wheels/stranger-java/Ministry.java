import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;

/** A suite on `crm testbed`, one method a test. (With JUnit each would be a @Test.) */
class Ministry {
  interface Test {
    void run(Testbed crm) throws Exception;
  }

  static final Map<String, String> REFERRAL = Map.of("from", "GTM", "to", "SLV", "urgency", "danger");

  static void check(boolean holds, Object why) {
    if (!holds) throw new AssertionError(String.valueOf(why));
  }

  static boolean told(JsonNode mail, String kind) {
    for (JsonNode one : mail) if (kind.equals(one.at("/data/kind").asText())) return true;
    return false;
  }

  static void aReportIsRecorded(Testbed crm) {
    var found = crm.tell("GTM", "intel.document.flagged", Map.of("issuing", "HND"));
    check(found.get("outcome").asText().equals("recorded"), found);
    check(found.at("/event/country").asText().equals("GTM"), found);
  }

  static void whatIsWrongIsToldWithItsReason(Testbed crm) {
    var found = crm.tell("GTM", "intel.document.flagged", Map.of("detected_by", "guess"));
    check(found.get("outcome").asText().equals("refused"), found);
    check(found.at("/problems/0/pointer").asText().equals("/data/detected_by"), found);
    check(found.at("/problems/0/code").asText().equals("unknown_value"), found);
    crm.settled();
    check(crm.mailbox("GTM", "intel.report.rejected").size() == 1, "the refusal is in the mailbox");
  }

  static void theMailboxIsReadAndAnswered(Testbed crm) {
    crm.tell("GTM", "victims.referral.sent", REFERRAL);
    crm.settled();
    var offered = crm.mailbox("SLV", "victims.referral.offered");
    check(offered.size() == 1, offered);
    var name = offered.at("/0/data/referral_id").asText();
    var answer = crm.tell("SLV", "victims.referral.accepted", Map.of("referral_id", name));
    check(answer.get("outcome").asText().equals("recorded"), answer);
    crm.settled();
    check(told(crm.mailbox("GTM", "victims.alert.issued"), "referral_accepted"), "the sender is told");
  }

  static void silenceClimbsTheLadder(Testbed crm) {
    crm.tell("GTM", "victims.referral.sent", REFERRAL);
    crm.advance("31d");
    check(crm.log("victims", "victims.referral.escalated").size() == 3, "three steps");
    check(crm.log("victims", "victims.referral.lapsed").size() == 1, "and its end");
  }

  static void anAnswerMovesTheFigure(Testbed crm) {
    var script = Map.of("victims.referral.offered", "victims.referral.accepted");
    crm.post("/robots", Map.of("country", "SLV", "script", script));
    crm.tell("GTM", "victims.referral.sent", REFERRAL);
    var figure = crm.get("/figures/VA-5.1b?country=SLV").at("/values/0");
    check(figure.get("numerator").asInt() == 1 && figure.get("denominator").asInt() == 1, figure);
  }

  static void whatIsWrongWithAQuestionIsTold(Testbed crm) {
    try {
      crm.advance("soon");
    } catch (IllegalStateException error) {
      check(error.getMessage().startsWith("400: a span of time"), error);
      return;
    }
    throw new AssertionError("it is no span of time");
  }

  public static void main(String[] args) {
    Map<String, Test> tests = new LinkedHashMap<>();
    tests.put("a report is recorded", Ministry::aReportIsRecorded);
    tests.put("what is wrong is told with its reason", Ministry::whatIsWrongIsToldWithItsReason);
    tests.put("the mailbox is read and answered", Ministry::theMailboxIsReadAndAnswered);
    tests.put("silence climbs the ladder", Ministry::silenceClimbsTheLadder);
    tests.put("an answer moves the figure", Ministry::anAnswerMovesTheFigure);
    tests.put("what is wrong with a question is told", Ministry::whatIsWrongWithAQuestionIsTold);
    int failed = 0;
    for (Map.Entry<String, Test> one : tests.entrySet()) {
      try (Testbed crm = new Testbed()) {
        one.getValue().run(crm);
        System.out.println("ok " + one.getKey());
      } catch (Throwable error) {
        failed++;
        System.out.println("not ok " + one.getKey() + ": " + error.getMessage());
      }
    }
    System.out.println(tests.size() - failed + " passed, " + failed + " failed");
    System.exit(failed == 0 ? 0 : 1);
  }
}
