import Documents
import DumpCore
import Jobs
import Settings

extension Job.Receiver {
    static var shape: ObjectShape<Job.Receiver> {
        ObjectShape(default: Job.Receiver())
            .ways
            .optional(
                "on", \.events, .list(of: .choice, atLeast: 1).example(["failure", "recovery"]),
                "Which events it gets: start, success, failure, recovery, interruption. Not set: failure and recovery, once per incident; with healthchecks, how each run begins and ends."
            )
            .optional(
                "about", \.topics, .list(of: .choice, atLeast: 1).example(["run", "drill"]),
                "Which topics they may be about: run, drill, check (check-repository), staleness (status --notify). Not set: all; with healthchecks, runs only."
            )
            .key(
                "deadline", \.deadline, .duration(atLeast: .seconds(1), atMost: .seconds(600)),
                "How long Muster tries to reach it. No run waits longer for it."
            )
            .check("healthchecks", "http", "apprise", "command") { $0.wayFault }
            .check("on", "healthchecks") { $0.eventFault }
    }

    private var wayFault: Fault? {
        let ways = [healthchecks != nil, http != nil, apprise != nil, command != nil].filter { $0 }.count
        return ways == 1
            ? nil
            : Fault(
                "expected one of healthchecks, http, apprise and command, found \(ways == 0 ? "none" : "\(ways)")",
                hint: "To reach two receivers, give each a name of its own.")
    }

    private var eventFault: Fault? {
        guard healthchecks != nil, events?.contains(.recovery) == true else { return nil }
        return Fault("a check gets the end of each run, and no recovery", hint: "Leave recovery out.")
    }
}

extension ObjectShape<Job.Receiver> {
    fileprivate var ways: ObjectShape {
        optional(
            "healthchecks", \.healthchecks, Job.Receiver.Healthchecks.shape.shape,
            "A check of healthchecks.io, or of a server of that kind."
        )
        .optional(
            "http", \.http, Job.Receiver.HTTP.shape.shape,
            "A server that takes an HTTP request, such as a chat's or ntfy's."
        )
        .optional(
            "apprise", \.apprise, Job.Receiver.Apprise.shape.shape,
            "The program apprise, which sends mail and knows some eighty services."
        )
        .optional(
            "command", \.command, .command.example(["/usr/local/bin/tell-me"]),
            "A program and its arguments. It reads the text on standard input; MUSTER_EVENT, MUSTER_SUBJECT and MUSTER_REPORT in its environment say more."
        )
    }
}

extension Job.Receiver.Healthchecks {
    fileprivate static var shape: ObjectShape<Self> {
        ObjectShape(default: Self())
            .required(
                "url", \.url, .secret, "Where the check's ping URL is. Anyone who knows it can report for the check.")
    }
}

extension Job.Receiver.Apprise {
    fileprivate static var shape: ObjectShape<Self> {
        ObjectShape(default: Self())
            .required(
                "config", \.config, .absolutePath.example("/etc/muster/apprise.conf"),
                "Apprise's own configuration file, with the addresses of the services. Keep it readable for root alone."
            )
    }
}

extension Job.Receiver.HTTP {
    fileprivate static var shape: ObjectShape<Self> {
        ObjectShape(default: Self())
            .required("url", \.url, .secret, "Where the URL is. It may hold a token.")
            .key("method", \.method, .choice, "The request's method.")
            .key(
                "headers", \.headers,
                .map(.headers, of: .headerValue) {
                    Job.Receiver.Header(name: $0, value: $1)
                } parts: {
                    ($0.name, $0.value)
                }.example(["Title": "{subject}", "Authorization": ["file": "/etc/muster/chat.header"]]),
                "Headers of the request. A value is text with places such as {subject}, or says where a secret is."
            )
            .optional(
                "body", \.body, .template.example("{\"text\": \"{subject}\"}"),
                "The body, with places such as {subject} and {error.message}. JSON, unless headers has another Content-Type. Not set: all that is known, as JSON; with GET, nothing."
            )
            .check("body", "headers", "method") { $0.bodyFault }
    }

    /// A place outside a string would let what is filled in change the document.
    private var bodyFault: Fault? {
        guard let body else { return nil }
        if method == .get {
            return Fault("a GET request has no body", hint: "Leave out the body, or write method: POST.")
        }
        guard case .json = NoticeBodyForm(contentType: contentType), !isJSON(body.filled { _ in "x" }) else {
            return nil
        }
        return Fault(
            "is not JSON, with text in each place",
            hint: "Put places into quotes, as in {\"text\": \"{subject}\"}, or write the Content-Type below headers.")
    }
}

extension Shape<NoticeTemplate> {
    fileprivate static var template: Shape { of(.text) }
    fileprivate static var lineTemplate: Shape { of(.line) }

    private static func of(_ text: Shape<String>) -> Shape {
        Shape(schema: text.schema) { node, diagnostics in
            text.read(node, &diagnostics).map { NoticeTemplate($0) }
        } writer: {
            text.write($0.text)
        }.checked { template in
            guard let name = template.unknownNames.first else { return nil }
            let known = NoticeTemplate.Field.allCases.map(\.rawValue)
            let near = nearestWord(to: name, among: known).map { "Did you mean {\($0)}?" }
            return Fault("unknown place {\(name)}", hint: near ?? "Known: \(known.joined(separator: ", ")).")
        }
    }
}

extension Shape<Job.Receiver.Header.Value> {
    /// Text, or a mapping that says where a secret is.
    fileprivate static var headerValue: Shape {
        let (text, secret) = (Shape<NoticeTemplate>.lineTemplate, Shape<SecretSource>.secret)
        return Shape(schema: ["anyOf": [text.schema, secret.schema]]) { node, diagnostics in
            if case .mapping = node.content { return secret.read(node, &diagnostics).map { .secret($0) } }
            return text.read(node, &diagnostics).map { .text($0) }
        } writer: { value in
            switch value {
            case .text(let template): text.write(template)
            case .secret(let source): secret.write(source)
            }
        }
    }
}

extension NameRule {
    /// What RFC 9110 lets the name of a header be, less what is never used.
    fileprivate static let headers = NameRule(
        pattern: "[A-Za-z][A-Za-z0-9_-]{0,63}", expected: "the name of a header, such as Title",
        reserved: ["Content-Length", "Host", "Transfer-Encoding"])
}
