"""Charts: pure functions from numbers to an accessible SVG with the table behind it. No library, no colour alone.

    from reports.charts.bars import bars, shares, spreads
    from reports.charts.chart import Amount, Chart, Line, Spread, Stack, Table
    from reports.charts.distribution import distribution
    from reports.charts.lines import lines
    from reports.charts.stacked import stacked

    bars(key, heading, finding, (Amount("Finance", 12), Amount("Sales", 3)), measured=_("Requests"))
    shares(key, heading, finding, (Amount("Firewall", 0.97),), measured=_("Explained"))           # each of 100 %
    spreads(key, heading, finding, (Spread("Line manager", 2.5, 9),), words=(_("Median"), _("90th percentile")))
    stacked(key, heading, finding, (Stack("Finance", (9, 3)),), words=(_("Kept"), _("Missed")))   # up to five parts
    lines(key, heading, finding, ("Jan", "Feb"), (Line(_("Requests"), (4, None)),))               # up to four lines
    distribution(key, heading, finding, (Amount("under 1 h", 4), Amount("1 to 4 h", 9)), measured=_("Decisions"))

`key` is the chart's id on its page, unique there (letters, digits, hyphens). `heading` names it; `finding` is the
sentence that somebody who does not see it is told, so it says what the chart shows: the caller works it out. Each
takes `spoken=` (a number as words, `portal.core.times.number` unless given) and `table=` (a `Table` of more than is
drawn). Texts are in the language that is spoken when the chart is made. Without items `chart.empty` is true and only
heading and finding are shown.

On a page:   {% from "reports/charts/chart.html" import chart %}       {{ chart(figure.waiting, csv=url) }}
In a PDF:    {% from "reports/charts/printed.html" import printed %}   {{ printed(chart, width=170) }}   (millimetres)

On a page the drawing is as wide as what it stands in, and its letters keep their size: every x is a percentage. On
paper every x is a number. Only presentation attributes, so that it stands under a policy without inline style.
"""
