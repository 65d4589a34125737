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

	descriptions = lines(`
Stand-up
Sprint planning
Sprint review
Retrospective
1:1
Mail
Call with the client
Workshop with the client
Preparing the workshop
Estimate for the next phase
Offer revised
Invoices checked
Interview with a candidate
Code review
Review of the concept
Login form
Password reset
Checkout: rounding of VAT
Search suggestions
Export to spreadsheet
Import of old orders
Import: dates in two formats
Monthly report is too slow
Report by client
Index for the order list
Calendar: weeks that begin on Sunday
Time zones in the calendar
Reminder mails
Push notifications
Permissions for guests
Audit log
Dashboard for managers
Layout on small phones
Dark colours
Contrast and focus order
Screen reader labels
Translation checked
Texts for the home page
Product photos
Icons
Release notes
Release 2.4
Release 2.5
Hotfix
Rollback exercise
Backup and restore
Move to the new server
Certificates renewed
Upgrade of PostgreSQL
Load test
Flaky test found
Test cases for refunds
Acceptance test
User interviews
Notes of the interviews
Wireframes
Prototype
Usability test
Documentation of the API
Handbook for administrators
Training for the support team
Questions from the hotline
Crash on start-up
Duplicate bookings
Broken link in the newsletter
Spam in the contact form
Onboarding of a colleague
Learning: accessibility
Conference
Travel to the client
Ședință cu clientul
Verificarea facturilor
Kundentermin vor Ort
Fehler in der Übersicht
Réunion d'équipe
Relecture du résumé
打ち合わせ
データ移行
設計レビュー
Планиране
Уточняване на изискванията
Σύσκεψη ομάδας
Έλεγχος μεταφράσεων
اجتماع الفريق
مراجعة التصميم
टीम बैठक
Reunião de equipa
🐛 triage`)
)

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
