import DumpCore
import Linux

extension StopSign {
    /// To be called between two pieces of a dump that is verified.
    func checkVerification() throws(DumpError) {
        if isRaised { throw DumpError(.cancelled, "the verification was cancelled") }
    }
}
