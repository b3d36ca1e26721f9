import Checksums
import DumpCore

/// How the page looks. The policy of the page admits this text by its digest, and no other style.
enum PageStyle {
    static let text = [colours, base, layout, tables, plots, paper].joined()

    /// For the policy.
    static let source: String = {
        guard let digest = try? sha256(of: Array(text.utf8)), let bytes = bytes(ofHex: Array(digest.utf8)) else {
            return "'unsafe-inline'"
        }
        return "'sha256-\(base64(bytes))'"
    }()

    static func base64(_ bytes: [UInt8]) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 {
                text.append(place <= group.count ? letters[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static let light = """
        --page:#fff;--panel:#f6f7f8;--edge:#d5d9dd;--text:#1a1e22;--muted:#545c64;--grid:#e2e5e8;--line:#0b62a8;--band:#8db6d9;--link:#0b5394;\
        --good:#00704f;--good-back:#e7f5ef;--warn:#8f5a00;--warn-back:#fdf3dd;--bad:#b0320c;--bad-back:#fdece6;--on:#fff
        """
    private static let dark = """
        --page:#15181b;--panel:#1e2226;--edge:#3a4046;--text:#e7e9eb;--muted:#a6aeb6;--grid:#2c3136;--line:#6cb6ff;--band:#3d6a94;--link:#8cc4ff;\
        --good:#4fc79d;--good-back:#142b24;--warn:#efb84a;--warn-back:#302712;--bad:#ff8f6b;--bad-back:#38201a;--on:#15181b
        """
    private static let colours = """
        :root{color-scheme:light dark;\(light)}
        @media screen and (prefers-color-scheme:dark){:root{\(dark)}}

        """

    private static let base = """
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%}
        body{margin:0 auto;max-width:1360px;padding:clamp(20px,3vw,44px) clamp(16px,3vw,44px);background:var(--page);color:var(--text);\
        font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans","DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
        h1{font-size:clamp(28px,4vw,40px);line-height:1.15;margin:0;letter-spacing:-.01em}
        h2{font-size:24px;line-height:1.25;margin:0 0 12px}
        h3{font-size:18px;line-height:1.3;margin:28px 0 8px}
        h4{font-size:16px;margin:24px 0 8px}
        p{margin:0 0 8px}
        a{color:var(--link)}
        code,pre{font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,"Liberation Mono","DejaVu Sans Mono",monospace}
        code{color:var(--muted)}
        pre{margin:0;white-space:pre-wrap}
        summary{cursor:pointer;color:var(--link);padding:4px 0;width:fit-content}
        :focus-visible{outline:2px solid var(--link);outline-offset:2px}
        .hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
        .eyebrow,.asof,.note,.kind,footer{color:var(--muted)}
        .eyebrow{margin:0 0 4px}
        .asof{margin:6px 0 24px}
        .kind{font-weight:400}
        .hint{color:var(--muted)}
        footer{margin-top:56px;padding-top:16px;border-top:1px solid var(--edge);font-size:14px}

        """

    private static let layout = """
        section{margin-top:48px}
        article{margin-top:64px;padding-top:32px;border-top:2px solid var(--edge)}
        article section{margin-top:36px}
        .verdict{border-left:6px solid;border-radius:4px;padding:16px 20px;margin-bottom:20px}
        .verdict.ok{background:var(--good-back);border-color:var(--good)}
        .verdict.warning{background:var(--warn-back);border-color:var(--warn)}
        .verdict.failed{background:var(--bad-back);border-color:var(--bad)}
        .word{display:flex;flex-wrap:wrap;align-items:center;gap:4px 12px;margin:0;font-size:18px}
        .word strong{font-size:24px;letter-spacing:.02em}
        .verdict .hint{color:var(--text);opacity:1}
        .reasons{list-style:none;margin:14px 0 0;padding:0;display:grid;gap:12px}
        .reasons li{display:flex;gap:12px;max-width:100ch}
        .reasons li>.sign{margin:4px 8px 0}
        .reasons p{margin:0}
        .reasons .hint::before,.failures .hint::before{content:"→ "}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,170px),1fr));gap:12px;margin:0}
        .tiles>div{background:var(--panel);border:1px solid var(--edge);border-radius:6px;padding:12px 16px}
        dt{color:var(--muted);font-size:14px}
        dd{margin:0;font-size:14px}
        .tiles .value{font-size:22px;line-height:1.35;font-weight:600}
        .failures{list-style:none;margin:0;padding:0;display:grid;gap:16px}
        .failures>li{border-left:3px solid var(--edge);padding-left:16px;max-width:110ch}
        .when{display:flex;flex-wrap:wrap;gap:2px 12px;align-items:baseline;font-weight:600}
        .when code{font-weight:400}
        .facts{margin:4px 0 8px}
        .outcome{display:inline-flex;align-items:baseline;gap:6px;white-space:nowrap}
        .outcome .sign{align-self:center}
        .part{border-top:1px solid var(--edge);padding:8px 0}
        .part>summary{font-weight:600}
        .forecast{max-width:100ch;margin-top:8px}

        """

    private static let tables = """
        .scroll{overflow-x:auto;margin:8px 0 4px}
        table{border-collapse:collapse;font-size:14px;line-height:1.4;overflow-wrap:normal}
        th,td{text-align:left;vertical-align:top;padding:5px 20px 5px 0;border-bottom:1px solid var(--grid);max-width:48ch;overflow-wrap:break-word}
        thead th{color:var(--muted);font-weight:600;white-space:nowrap;border-bottom-color:var(--edge);vertical-align:bottom}
        tbody th{font-weight:500;min-width:11ch}
        caption{text-align:left;font-weight:600;font-size:15px;padding-bottom:4px}
        tbody th code{color:var(--text)}
        .number,td:has(>data:only-child){text-align:right;white-space:nowrap}
        td code,th code,time{white-space:nowrap}
        .share .back{fill:var(--grid)}
        .share .fill{fill:var(--line)}
        .share{vertical-align:middle;border-radius:2px}

        """

    private static let plots = """
        .plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:8px 40px}
        .plot{margin:0 0 20px;min-width:0}
        figcaption{font-weight:600;font-size:15px;margin-bottom:8px}
        .plot>svg{display:block;margin-left:72px;width:calc(100% - 80px)}
        svg{overflow:visible}
        .share{overflow:hidden}
        svg text{fill:var(--muted);font-size:12.5px}
        text.value{text-anchor:end}
        text.name{fill:var(--text);font-size:13px}
        .grid{stroke:var(--grid);stroke-width:1}
        .tick{stroke:var(--muted);stroke-width:1}
        .line{fill:none;stroke:var(--line);stroke-width:1.75;stroke-linejoin:round}
        .dot{fill:var(--line)}
        .span{stroke:var(--band);stroke-width:3}
        .bar{stroke:var(--line);stroke-width:2}
        .bar.medium{stroke-width:5}
        .bar.thick{stroke-width:9}
        .moment{stroke:var(--line);stroke-width:8}
        .moment.live{stroke-dasharray:3 2}
        .moment.window{stroke:var(--band)}
        .sign{width:16px;height:16px;flex:none}
        .word .sign{width:32px;height:32px}
        .good{fill:var(--good)}
        .warn{fill:var(--warn)}
        .bad{fill:var(--bad)}
        .calm{fill:var(--line)}
        .quiet{fill:var(--muted)}
        .cross{fill:none;stroke:var(--bad);stroke-width:2.75}
        .open{fill:var(--page);stroke:var(--warn);stroke-width:2}
        .ring{fill:none;stroke:var(--good);stroke-width:1.5}
        .on{fill:none;stroke:var(--on);stroke-width:1.6}
        .on.thick{stroke-width:3.5}
        .plot>details>summary{font-size:14px;margin-left:0}
        @media (max-width:640px){text.odd{display:none}h2{font-size:21px}body{font-size:15px}}

        """

    private static let paper = """
        @page{margin:16mm 14mm}
        @media print{
        body{max-width:none;padding:0;font-size:10.5pt}
        section,article{margin-top:24px}
        h2,h3,h4,figcaption,summary{break-after:avoid}
        figure,.verdict,.tiles>div,tr,.failures>li{break-inside:avoid}
        .verdict,.tiles>div,svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}
        .scroll{overflow:visible}
        .plots{grid-template-columns:1fr 1fr;gap:8px 24px}
        details:not([open]){display:none}
        details.part:not([open]){display:block}
        a{color:inherit}
        td,th{padding-right:12px}
        }

        """
}
