package demo

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"headroom/timesheet"
)

// country is where a company sits: what its people are called, and when and
// for what they work.
type country struct {
	zone, currency string
	weekStart      time.Weekday
	scale          int64 // of hourly rates, which are 40 to 135 of the major unit at 1
	given, family  []name
	familyFirst    bool
}

// name is a name as it is written, and as it stands in an address.
type name struct{ native, latin string }

// names reads native/latin pairs; without a slash the two are the same.
func names(list string) []name {
	var all []name
	for text := range strings.FieldsSeq(list) {
		native, latin, ok := strings.Cut(text, "/")
		if !ok {
			latin = strings.ToLower(native)
		}
		all = append(all, name{native, latin})
	}
	return all
}

var countries = []country{
	{
		zone: "Europe/Bucharest", currency: "RON", weekStart: time.Monday, scale: 4,
		given:  names("Ana Andrei Cătălina/catalina Ionuț/ionut Maria Mihai Ștefan/stefan Teodora Vlad Ilinca Radu Sorina"),
		family: names("Popescu Ionescu Dumitru Stănescu/stanescu Țăranu/taranu Georgescu Lungu Moldovan Rusu Șerban/serban"),
	},
	{
		zone: "Europe/Berlin", currency: "EUR", weekStart: time.Monday, scale: 1,
		given:  names("Anna Björn/bjoern Jürgen/juergen Katharina Lukas Maximilian Sophie Jörg/joerg Hannah Emil Greta Otto"),
		family: names("Müller/mueller Schmidt Weiß/weiss Schäfer/schaefer Wagner Köhler/koehler Vogel Brandt Lehmann Krüger/krueger"),
	},
	{
		zone: "America/New_York", currency: "USD", weekStart: time.Sunday, scale: 1,
		given:  names("Olivia Liam Aaliyah Ethan José/jose Grace Noah Sofía/sofia Tyler Zoë/zoe Malik Ruth"),
		family: names("Johnson Nguyen García/garcia O'Brien/obrien Washington Kim Cohen Martínez/martinez Baker Patel"),
	},
	{
		zone: "Asia/Tokyo", currency: "JPY", weekStart: time.Sunday, scale: 1, familyFirst: true,
		given:  names("花子/hanako 太郎/taro さくら/sakura 健/ken 陽子/yoko 翔/sho 美咲/misaki 大輔/daisuke 結衣/yui 直樹/naoki"),
		family: names("佐藤/sato 鈴木/suzuki 高橋/takahashi 田中/tanaka 渡辺/watanabe 伊藤/ito 山本/yamamoto 中村/nakamura"),
	},
	{
		zone: "Europe/Sofia", currency: "EUR", weekStart: time.Monday, scale: 1,
		given:  names("Иван/ivan Мария/maria Георги/georgi Елена/elena Димитър/dimitar Надежда/nadezhda Петър/petar Радка/radka Стоян/stoyan"),
		family: names("Иванов/ivanov Петрова/petrova Димитров/dimitrov Николова/nikolova Стоянов/stoyanov Колева/koleva Тодоров/todorov"),
	},
	{
		zone: "Europe/Athens", currency: "EUR", weekStart: time.Monday, scale: 1,
		given:  names("Ελένη/eleni Γιώργος/giorgos Μαρία/maria Νίκος/nikos Σοφία/sofia Δημήτρης/dimitris Κατερίνα/katerina Πέτρος/petros"),
		family: names("Παπαδοπούλου/papadopoulou Βασιλείου/vasileiou Οικονόμου/oikonomou Νικολάου/nikolaou Γεωργίου/georgiou"),
	},
	{
		zone: "Africa/Casablanca", currency: "MAD", weekStart: time.Monday, scale: 5,
		given:  names("ليلى/layla عمر/omar فاطمة/fatima يوسف/youssef سلمى/salma كريم/karim نور/nour حسن/hassan"),
		family: names("حداد/haddad بنجلون/benjelloun العلوي/alaoui منصور/mansour الإدريسي/idrissi بناني/bennani"),
	},
	{
		zone: "Asia/Kolkata", currency: "INR", weekStart: time.Monday, scale: 40,
		given:  names("आरव/aarav दीपिका/deepika रोहन/rohan अनन्या/ananya विक्रम/vikram प्रिया/priya अर्जुन/arjun मीरा/meera"),
		family: names("शर्मा/sharma गुप्ता/gupta अय्यर/iyer सिंह/singh पटेल/patel नायर/nair रेड्डी/reddy"),
	},
	{
		zone: "Europe/Lisbon", currency: "EUR", weekStart: time.Monday, scale: 1,
		given:  names("João/joao Inês/ines Beatriz Gonçalo/goncalo Margarida Tiago Conceição/conceicao Duarte Leonor Rui"),
		family: names("Silva Araújo/araujo Fonseca Magalhães/magalhaes Sousa Conceição/conceicao Brandão/brandao Pinto"),
	},
}

// foreigners is the share of people from elsewhere.
const foreigners = 0.15

// people makes n of them; the first is the owner. Their addresses are all
// different.
func people(r *rand.Rand, n int, home country, domain string) []timesheet.CompanyUser {
	users := make([]timesheet.CompanyUser, n)
	namesakes := map[string]int{}
	for i := range users {
		from := home
		if r.Float64() < foreigners {
			from = countries[r.IntN(len(countries))]
		}
		given, family := from.given[r.IntN(len(from.given))], from.family[r.IntN(len(from.family))]
		full := given.native + " " + family.native
		if from.familyFirst {
			full = family.native + " " + given.native
		}
		local := given.latin + "." + family.latin
		if namesakes[local]++; namesakes[local] > 1 {
			local += strconv.Itoa(namesakes[local])
		}
		users[i] = timesheet.CompanyUser{Name: full, Email: local + "@" + domain, Role: role(r, i)}
	}
	return users
}

// role of the i-th person: an owner, a manager, a member, then as they come.
func role(r *rand.Rand, i int) timesheet.Role {
	p := r.Float64()
	switch {
	case i == 0:
		return timesheet.RoleOwner
	case i == 1:
		return timesheet.RoleManager
	case i == 2:
		return timesheet.RoleMember
	case p < .04:
		return timesheet.RoleAdmin
	case p < .14:
		return timesheet.RoleManager
	case p < .17:
		return timesheet.RoleViewer
	case p < .21:
		return timesheet.RolePlaceholder
	}
	return timesheet.RoleMember
}
