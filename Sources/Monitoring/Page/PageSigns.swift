/// The signs of outcomes, each around its own middle: they differ in shape, so that readers need not tell colours apart.
enum PageSigns {
    static let definitions: Markup = """
        <svg class="hidden" aria-hidden="true" width="0" height="0"><defs>
        <g id="s-done"><circle class="good" r="4"/></g>
        <g id="s-failed"><path class="cross" d="M-4-4 4 4M4-4-4 4"/></g>
        <g id="s-interrupted"><rect class="open" x="-4" y="-4" width="8" height="8"/></g>
        <g id="s-none"><path class="open" d="M0-5.5 5.5 0 0 5.5-5.5 0z"/></g>
        <g id="s-running"><path class="calm" d="M-3.5-5 5 0-3.5 5z"/></g>
        <g id="s-part"><circle class="ring" r="4"/><path class="good" d="M0-4a4 4 0 0 1 0 8z"/></g>
        <g id="s-note"><circle class="quiet" r="3"/></g>
        <g id="s-warning"><path class="warn" d="M0-6.5 7 5.5H-7z"/><path class="on" d="M0-2V2M0 3.4v.6"/></g>
        <g id="v-ok"><circle class="good" r="14"/><path class="on thick" d="M-6 0-2 5 7-5"/></g>
        <g id="v-warning"><path class="warn" d="M0-14 16 13H-16z"/><path class="on thick" d="M0-5V4M0 8.5v.5"/></g>
        <g id="v-failed"><path class="bad" d="M-6-14H6L14-6V6L6 14H-6L-14 6V-6z"/><path class="on thick" d="M-5-5 5 5M5-5-5 5"/></g>
        </defs></svg>
        """
}
