package demo

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

func lines(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") }

var (
	companyWords = strings.Fields(`Alder Amber Aurora Basalt Beacon Birch Cedar Cobalt Copper Coral Delta Ember Falcon Fern Granite
Harbor Hazel Heron Indigo Iris Juniper Kestrel Larch Linden Lumen Maple Meridian Mistral Nimbus Northwind
Oak Onyx Orchard Osprey Pine Quartz Raven Sable Tamarind Willow`)
	companyKinds = strings.Fields(`Works Studio Labs Partners Systems Digital Consulting Design Software Engineering Group Media`)

	clientNames = lines(`
Acme Logistics
Șoimul Transport
Bäckerei Weiß
Café Lumière
Dunder Paper
Εκδόσεις Αθηνά
Fjord Energy
Globex
Hokkaido Foods
Initech
Järvi Forest
Казанлък Роуз
Lotus Textiles
Medina Tours
Nordlys Bank
Ocean & Co
Pão Quente
株式会社さくら
Río Verde
Smile Dental
Umbra Security
Vélo Libre
مطبعة النخيل
Zenith Insurance
हिमालय टी
City Hospital
Harbour Authority
Old Town Theatre
Riverside School
Summit Outdoor`)

	projectNames = lines(`
Website relaunch
Mobile app
Support
Online shop
Data warehouse
Internal
Brand refresh
Payments
Ребрендинг
CRM migration
Search
予約システム
Customer portal
Compliance audit
Infrastructure
Reporting
Onboarding
Σχεδιασμός
Training
Invoicing
Warehouse scanner
Newsletter
Intégration ERP
Accessibility
Prototype
Research
تطبيق الجوال
Field service
Recruiting
Übersetzung`)

	phases = strings.Fields(`Planning Requirements Design Review Coding Inspection Build Testing Documentation Release Training Support Analysis Rework Postmortem`)
	parts  = strings.Fields(`login checkout search import export billing reports calendar profile dashboard permissions notifications API layout database settings`)

	tagNames = lines(`
urgent
meeting
remote
on site
bug
feature
travel
overtime
café
会議
поддержка
pair`)

	descriptions = combine(lines(`
Call about
Review
Fix
Write
Discuss
Test
Prepare
Update
Investigate
Plan
Estimate
Merge
Refactor
Translate
Present`), lines(`
the login form
pull request
the invoice run
release notes
slow report
sprint
a customer's question
the import
new prices
the roadmap
API errors
the layout on phones
accessibility findings
backup and restore
user interviews
the offer
tests
the résumé page
データ移行
требования`), lines(`
Stand-up
Mail
1:1
Ședință cu clientul
Retrospektive
打ち合わせ
Планиране
Réunion d'équipe
σύσκεψη
اجتماع الفريق
बैठक
🐛 triage`))
)

// combine joins every verb with every object and adds what stands alone.
func combine(verbs, objects, alone []string) []string {
	all := alone
	for _, v := range verbs {
		for _, o := range objects {
			all = append(all, v+" "+o)
		}
	}
	return all
}

// describe makes up what somebody did: often with a ticket, at times nothing.
func describe(r *rand.Rand) string {
	p := r.Float64()
	if p < .08 {
		return ""
	}
	text := descriptions[r.IntN(len(descriptions))]
	if p < .33 {
		return text + " #" + strconv.Itoa(100+r.IntN(9900))
	}
	return text
}

// distinct takes n names from a list in the order of a shuffle; where the list
// ends, names return with a number.
func distinct(r *rand.Rand, n int, list []string) []string {
	order := r.Perm(len(list))
	all := make([]string, n)
	for i := range all {
		all[i] = list[order[i%len(list)]]
		if round := i / len(list); round > 0 {
			all[i] += " " + strconv.Itoa(round+1)
		}
	}
	return all
}
