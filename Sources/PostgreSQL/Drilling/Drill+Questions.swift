import DumpCore

extension Drill {
    /// Asks what the operator wants to know, of databases that nothing else uses. An answer that is not right is a difference.
    func askQuestions(_ outcome: inout RestoreOutcome) async throws(DumpError) {
        for assertion in request.assertions {
            let answer = try await answer(to: assertion.statement, in: assertion.item, outcome)
            let object = "\(assertion.item): \(assertion.statement)".onOneLine
            outcome.note("assertion", in: assertion.item, object, assertion.expected, found: answer.shown) {
                answer.isValue(assertion.expected)
            }
        }
        for freshness in request.freshness {
            let answer = try await answer(to: freshness.statement, in: freshness.item, outcome)
            let age = try await age(of: answer, in: freshness.item, outcome)
            let object = "\(freshness.item): \(freshness.statement)".onOneLine
            let expected = "at most \(freshness.limit.settingsText) before \(dump.moment.to)"
            outcome.note("freshness", in: freshness.item, object, expected, found: age.shown) {
                age.seconds.map { .seconds($0) <= freshness.limit } ?? false
            }
        }
    }

    /// How long an answer may take, as the server's settings have it.
    private static let patience = "60s"

    private func answer(
        to statement: String, in item: String, _ outcome: RestoreOutcome
    ) async throws(DumpError) -> DrillAnswer {
        guard let name = outcome.name(of: item) else { return .none("no such database restored") }
        return try await server.session(in: name) { session throws(DumpError) in
            // As an application's session sees it, and no longer than that.
            try await session.perform("reset search_path; set statement_timeout to '\(Self.patience)'")
            do throws(DumpError) {
                return DrillAnswer(try await session.query(statement))
            } catch {
                // Without an SQLSTATE it is not the statement that is wrong.
                guard error.context["sqlstate"] != nil else { throw error }
                return .none(error.message)
            }
        }
    }

    /// How long before the dump's moment something happened, by the server's own reckoning.
    private func age(
        of answer: DrillAnswer, in item: String, _ outcome: RestoreOutcome
    ) async throws(DumpError) -> (seconds: Int64?, shown: String) {
        guard case .value(let text) = answer, let name = outcome.name(of: item) else { return (nil, answer.shown) }
        return try await server.session(in: name) { session throws(DumpError) in
            do throws(DumpError) {
                let row = try await session.row(
                    "select ceil(extract(epoch from $1::timestamptz - $2::timestamptz))::bigint as age",
                    [dump.moment.to.description, text])
                let age = try row.integer("age")
                return (age, "\(text), \(Duration.seconds(max(age, 0)).settingsText) before it")
            } catch {
                guard error.context["sqlstate"] != nil else { throw error }
                return (nil, "\(text), which is not a time")
            }
        }
    }
}

/// What a statement of the operator's returned.
private enum DrillAnswer {
    case value(String)
    /// Something else than one value, in words.
    case none(String)

    init(_ rows: [Row]) {
        guard rows.count == 1, let values = rows.first?.allValues, values.count == 1 else {
            self = .none("\(rows.count) rows where one with one value was expected")
            return
        }
        self = if let value = values[0] { .value(value) } else { .none("null") }
    }

    var shown: String {
        switch self {
        case .value(let text), .none(let text): text
        }
    }

    func isValue(_ expected: String) -> Bool {
        guard case .value(let text) = self else { return false }
        return text.utf8.elementsEqual(expected.utf8)
    }
}

extension RestoreOutcome {
    /// What an item is called now.
    fileprivate func name(of item: String) -> String? { items.first { $0.item.utf8.elementsEqual(item.utf8) }?.name }

    /// Adds a question and its answer to an item's comparison.
    fileprivate mutating func note(
        _ fact: String, in item: String, _ object: String, _ expected: String, found: String, isRight: () -> Bool
    ) {
        let difference = RestoreComparison.Difference(
            fact: fact, object: object, expected: expected, found: found)
        let place = items.firstIndex { $0.item.utf8.elementsEqual(item.utf8) } ?? items.endIndex
        if place == items.endIndex {
            items.append(RestoredItem(item: item, name: item, durationSeconds: 0, comparison: RestoreComparison()))
        }
        items[place].comparison.compared[fact, default: 0] += 1
        if !isRight() { items[place].comparison.differences.append(difference) }
    }
}
