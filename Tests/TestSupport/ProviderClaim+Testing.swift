import Conformance
import SystemPackage
import Testing

extension ProviderClaim {
    /// Checks that the claim holds of a subject, or that it is not applicable for exactly the reason expected.
    ///
    /// - Parameter notApplicable: the claims that the subject cannot show, each with the reason.
    public func check(
        _ subject: some ConformanceSubject, in scratch: FilePath, notApplicable: [ProviderClaim: String] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        let expected = notApplicable[self].map(ClaimOutcome.notApplicable) ?? .passed
        let found = await outcome(of: subject, in: scratch)
        #expect(found == expected, sourceLocation: sourceLocation)
    }
}
