import DumpCore
import Restoring

extension DrillVerdict {
    /// For people, such as `proven 2026-11-23`.
    var text: String {
        switch self {
        case .proven(let at): "proven \(at.day)"
        case .sampled(let at): "proven in part \(at.day)"
        case .failed(let at): "FAILED \(at.day)"
        }
    }
}

extension ArchiveRecord.LastDrill {
    init(_ verdict: DrillVerdict) {
        switch verdict {
        case .proven(let at): self.init(outcome: "proven", endedAt: at)
        case .sampled(let at): self.init(outcome: "sampled", endedAt: at)
        case .failed(let at): self.init(outcome: "failed", endedAt: at)
        }
    }
}

extension Timestamp {
    /// Local, such as `2026-11-23`.
    fileprivate var day: String { String(local.prefix("2026-11-23".count)) }
}
