import SystemPackage

/// What holds of every provider. Each claim is checked with a fresh subject.
public enum ProviderClaim: String, CaseIterable, Sendable, CustomStringConvertible {
    case prepareChangesNothing = "Prepare changes nothing in the source, and close gives everything back"
    case factsAreNamed = "What prepare learnt has names for scripts and values of one line"
    case unitsAreDistinct = "Units of work have names and paths of their own, inside the dump's directory"
    case errorsSpeak = "A source that cannot be reached is an error that names the dump and says what to do"
    case dumpIsItsUnits =
        "A dump consists of its units; outside of trees in plain files, and all of it where only we may go"
    case dumpChangesNothing = "A dump changes nothing in the source, and leaves nothing behind"
    case digestsAreTrue = "Every digest that is reported is that of the file"
    case contentsAreThere = "What the summary lists is where it says"
    case omissionsAreForetold = "What prepare says will be left out of a source at rest is what the dump left out"
    case momentIsTrue = "The moment of the dump is between its freeze and its end"
    case unitsKeepToTheirSlots = "Each unit begins and ends once, and only as many at once as there are slots"
    case twoDumpsAtOnce = "Two dumps of one source at once do not disturb each other"
    case cancelledBefore = "A dump that is cancelled before it begins throws, and leaves nothing behind"
    case cancelledWhile = "A dump that is cancelled while it runs throws, and leaves nothing behind"
    case deadline = "A dump that does not end within its deadline throws, and leaves nothing behind"
    case unchangedIsIdentical = "An unchanged source gives identical files"
    case damagedSource = "A source that was damaged after prepare never yields a dump"
    case fullDisk = "A dump that does not fit is an error that says how much was needed and how much was free"
    case secretsStaySecret = "No secret shows in the log, the findings, the summary, an error or a file"

    public var description: String { rawValue }

    /// - Parameters:
    ///   - subject: a fresh one; some claims damage its source.
    ///   - scratch: an empty directory that the claim may fill.
    public func outcome(of subject: some ConformanceSubject, in scratch: FilePath) async -> ClaimOutcome {
        let check = ConformanceCheck(subject: subject, scratch: scratch)
        do {
            try await hold(check)
        } catch let lack as NotApplicable where check.faults.all.isEmpty {
            return .notApplicable(lack.why)
        } catch is NotApplicable {
        } catch {
            check.faults.append("this was thrown: \(error)")
        }
        let faults = check.faults.all
        return faults.isEmpty ? .passed : .failed(faults)
    }

    private func hold(_ check: ConformanceCheck<some ConformanceSubject>) async throws {
        switch self {
        case .prepareChangesNothing: try await check.prepareChangesNothing()
        case .factsAreNamed: try await check.factsAreNamed()
        case .unitsAreDistinct: try await check.unitsAreDistinct()
        case .errorsSpeak: try await check.errorsSpeak()
        case .dumpIsItsUnits: try await check.dumpIsItsUnits()
        case .dumpChangesNothing: try await check.dumpChangesNothing()
        case .digestsAreTrue: try await check.digestsAreTrue()
        case .contentsAreThere: try await check.contentsAreThere()
        case .omissionsAreForetold: try await check.omissionsAreForetold()
        case .momentIsTrue: try await check.momentIsTrue()
        case .unitsKeepToTheirSlots: try await check.unitsKeepToTheirSlots()
        case .twoDumpsAtOnce: try await check.twoDumpsAtOnce()
        case .cancelledBefore: try await check.cancelledBefore()
        case .cancelledWhile: try await check.cancelledWhile()
        case .deadline: try await check.deadline()
        case .unchangedIsIdentical: try await check.unchangedIsIdentical()
        case .damagedSource: try await check.damagedSource()
        case .fullDisk: try await check.fullDisk()
        case .secretsStaySecret: try await check.secretsStaySecret()
        }
    }
}
