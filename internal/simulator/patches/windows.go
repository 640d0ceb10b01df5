package patches

import (
	"fmt"
	"time"
)

// months is the number of a month from the first day on.
func months(t time.Time) int { return (t.Year()-firstDay.Year())*12 + int(t.Month()) - 1 }

// nthTuesday is the time of day at which updates appear on the n-th Tuesday of a
// month; the second is Patch Tuesday.
func nthTuesday(month, n int) time.Time {
	first := time.Date(firstDay.Year(), time.Month(1+month), 1, 18, 0, 0, 0, time.UTC)
	ahead := (int(time.Tuesday) - int(first.Weekday()) + 7) % 7
	return first.AddDate(0, 0, ahead+7*(n-1))
}

// windows are the streams of updates of a Windows product.
func (p *Product) windows() []*Package {
	list := []*Package{
		{Name: "cumulative", Essential: true, title: "%d-%02d Cumulative Update for %s for x64-based Systems"},
		{Name: "dotnet", Essential: true, title: "%d-%02d Cumulative Update for .NET Framework 3.5, 4.8 and 4.8.1 for %s for x64"},
		{Name: "servicing-stack", Essential: true, title: "%d-%02d Servicing Stack Update for %s for x64-based Systems"},
		{Name: "removal-tool", Essential: true, title: "Windows Malicious Software Removal Tool x64 - %d-%02d"},
		{Name: "definitions", Essential: true, title: "Security Intelligence Update for Microsoft Defender Antivirus - %d-%02d"},
		{Name: "preview", title: "%d-%02d Cumulative Update Preview for %s for x64-based Systems"},
		{Name: "sql-server", product: "SQL Server 2022", title: "Security Update for SQL Server 2022 RTM CU %d-%02d"},
		{Name: "office", product: "Office 2016", title: "Security Update for Microsoft Office 2016 %d-%02d 64-Bit Edition"},
	}
	for i, q := range list {
		q.Product, q.number, q.set = p, i, "OS"
		if q.product != "" {
			q.set = "APPLICATION"
		}
	}
	for i := range 26 {
		list = append(list, p.singleUpdate(i))
	}
	return list
}

// singleUpdate is an update that replaces no other: one every half year for those
// of all nodes, more often for those that only some have.
func (p *Product) singleUpdate(i int) *Package {
	return &Package{
		Product: p, Name: fmt.Sprintf("update-%d", i), Essential: i < 40, number: 10 + i, set: "OS", title: "%d-%02d Security Update for %s for x64-based Systems",
	}
}

// windowsReleases are the patches of a stream.
func (q *Package) windowsReleases() []*Patch {
	var list []*Patch
	add := func(at time.Time, class string, security bool, rank int, cves ...string) {
		if at.Before(lastDay) {
			list = append(list, &Patch{Package: q, Seq: len(list) + 1, Released: at, Class: class, Security: security, Rank: rank, Announced: true, CVEs: cves})
		}
	}
	cves := func(month, n int) (ids []string) {
		for k := range n {
			ids = append(ids, fmt.Sprintf("CVE-%d-%d", firstDay.Year()+month/12, 20000+hash(q.Name, month, k)%30000))
		}
		return ids
	}
	const unspecified = 4
	total := months(lastDay)
	if q.number >= 10 {
		i := q.number - 10
		month := i * 6
		if i >= 40 {
			month = (i - 40) % total
		}
		at := nthTuesday(month, 2)
		add(at, "SecurityUpdates", true, 1+hash("single", i)%2, cves(month, 1)...)
		return list
	}
	for month := range total {
		tuesday := nthTuesday(month, 2)
		switch q.Name {
		case "cumulative":
			ids := append(cves(month, 4), curlOf(month)...)
			add(tuesday, "SecurityUpdates", true, min(1, hash(q.Name, month)%5/2), ids...)
		case "dotnet":
			if month%2 == 0 {
				add(tuesday, "SecurityUpdates", true, 1, cves(month, 2)...)
			} else {
				add(tuesday, "UpdateRollups", false, unspecified)
			}
		case "servicing-stack":
			if month%3 == 1 {
				add(tuesday, "CriticalUpdates", false, 0)
			}
		case "removal-tool":
			add(tuesday, "UpdateRollups", false, unspecified)
		case "preview":
			add(nthTuesday(month, 4), "Updates", false, unspecified)
		case "sql-server", "office":
			if (month+q.number)%2 == 0 {
				add(tuesday, "SecurityUpdates", true, 1, cves(month, 2)...)
			}
		}
	}
	if q.Name == "definitions" {
		for at := firstDay; at.Before(lastDay); at = at.Add(7 * day) {
			add(at, "DefinitionUpdates", false, unspecified)
		}
	}
	return list
}

// curlOf are the vulnerabilities of curl that Windows, which has it, mends in a
// month: those that were known a month ago.
func curlOf(month int) (ids []string) {
	for _, f := range upstream("curl", 8) {
		if months(f.date) == month-1 && f.kind == security && f.rank == 0 {
			ids = append(ids, f.cves...)
		}
	}
	return ids
}

// kbNumber is the number of a patch of Windows. Two streams have the same one for
// all their patches, as the real ones do.
func (p *Patch) kbNumber() string {
	q := p.Package
	switch q.Name {
	case "removal-tool":
		return "KB890830"
	case "definitions":
		return "KB2267602"
	}
	return fmt.Sprintf("KB%d", 5008000+months(p.Released)*620+q.Product.index*150+q.number%50*3+q.number/50)
}
