import Foundation
import Testing

@testable import quantrac

@Suite struct BrokerAccountsTests {
    @Test func `the hash is the one mosquitto computes`() {
        // Made by mosquitto_passwd 2.0.11 for the password "secret".
        let salt = Array(Data(base64Encoded: "NED4x3x0f1XnJ8cd") ?? Data())
        let hash =
            "vrKSFSCSOJJ3/3/UR8DC4ond+q/LHgpbKSClAxwroC6/"
            + "z9BMmQzckhAkjbmnmyZP9j9IasYKmyQDM0UNEKJA3A=="
        #expect(
            BrokerAccounts.passwordLine(user: "nd-1", password: "secret", salt: salt)
                == "nd-1:$7$101$NED4x3x0f1XnJ8cd$\(hash)")
    }

    @Test func `a password is 256 random bits in 43 harmless characters`() {
        let passwords = (0..<100).map { _ in BrokerAccounts.newPassword() }
        #expect(Set(passwords).count == 100)
        for password in passwords {
            #expect(password.utf8.count == 43)
            #expect(password.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
        }
    }

    @Test func `lines of others stay, known users are replaced, new ones are added in order`() {
        let before = "admin:$7$1\nb:$7$2\n"
        #expect(
            BrokerAccounts.passwordFile(before, setting: ["b": "b:new", "c": "c:new", "a": "a:new"])
                == "admin:$7$1\nb:new\na:new\nc:new\n")
        #expect(BrokerAccounts.passwordFile("", setting: ["a": "a:x"]) == "a:x\n")
        #expect(BrokerAccounts.knows("b", in: before) && !BrokerAccounts.knows("adm", in: before))
    }

    @Test func `the access list ties each station to its topics and lets the service do its work`() {
        let list = BrokerAccounts.accessList("", prefix: "p/v1", clientID: "q", serviceUser: "quantrac")
        let lines = list.split(separator: "\n")
        #expect(lines.contains("user quantrac"))
        #expect(lines.contains("topic read p/v1/+/telemetry"))
        #expect(lines.contains("topic write p/v1/_q/response") && lines.contains("topic write p/v1/_q/history"))
        #expect(lines.suffix(2) == ["pattern write p/v1/%u/+", "pattern read p/v1/%u/#"])
        // Our own list is written anew, so that a changed prefix leaves no old rights behind.
        let again = BrokerAccounts.accessList(list, prefix: "p/v2", clientID: "q", serviceUser: nil)
        #expect(!again.contains("p/v1") && !again.contains("user quantrac"))
    }

    @Test func `an access list of somebody else keeps its lines`() {
        let theirs = "user admin\ntopic readwrite #\n  pattern write p/%u/+"
        let list = BrokerAccounts.accessList(theirs, prefix: "p", clientID: "q", serviceUser: "quantrac")
        #expect(list == theirs + "\npattern read p/%u/#\n")
        #expect(BrokerAccounts.accessList(list, prefix: "p", clientID: "q", serviceUser: "quantrac") == list)
    }

    @Test func `an access list of an older version is found to lack the marker of the backlog's session`() {
        let list = BrokerAccounts.accessList("", prefix: "p", clientID: "q", serviceUser: "quantrac")
        #expect(BrokerAccounts.missing(in: list, prefix: "p", clientID: "q").isEmpty)
        let older = list.replacing("topic write p/_q/history\n", with: "")
        #expect(BrokerAccounts.missing(in: older, prefix: "p", clientID: "q") == ["topic write p/_q/history"])
        // What others wrote may say it in other words, and without a user of ours anybody may write anything.
        #expect(BrokerAccounts.missing(in: "user quantrac\ntopic #\n", prefix: "p", clientID: "q").isEmpty)
        let anonymous = BrokerAccounts.accessList("", prefix: "p", clientID: "q", serviceUser: nil)
        #expect(BrokerAccounts.missing(in: anonymous, prefix: "p", clientID: "q").isEmpty)
    }

    @Test func `three hundred accounts take no time`() {
        let clock = ContinuousClock()
        let duration = clock.measure {
            for number in 0..<300 {
                _ = BrokerAccounts.passwordLine(user: "station-\(number)", password: BrokerAccounts.newPassword())
            }
        }
        #expect(duration < .seconds(20))
    }
}
