package server

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"headroom/browsertest"
)

// faint names each text of the cost panel with its contrast to what is behind it,
// where that is below the 4.5 that WCAG asks for.
const faint = `(() => {
	const light = (color) => color.match(/[\d.]+/g).slice(0, 3).map((c) => c / 255)
		.map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
		.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = (e) => {
		const color = getComputedStyle(e).backgroundColor;
		return color !== 'rgba(0, 0, 0, 0)' ? color : behind(e.parentElement);
	};
	const found = [], texts = document.createTreeWalker(document.querySelector('#price'), NodeFilter.SHOW_TEXT);
	let seen = 0;
	while (texts.nextNode()) {
		const e = texts.currentNode.parentElement, text = texts.currentNode.data.trim();
		if (!text || !e.getClientRects().length) continue;
		seen++;
		const [low, high] = [light(getComputedStyle(e).color), light(behind(e))].sort((a, b) => a - b);
		const contrast = (high + 0.05) / (low + 0.05);
		if (contrast < 4.5) found.push(text + ' ' + contrast.toFixed(1));
	}
	return seen + ' texts, too faint: ' + (found.join(', ') || 'none') + ', on ' + behind(document.querySelector('#price'));
})()`

// The panel can be read in a light and in a dark room.
func TestBrowserCostPanelContrast(t *testing.T) {
	r := newPlayground(t)
	b := newBrowser(t)
	b.Do(t, chromedp.Navigate(r.http.URL+"/playground"), chromedp.WaitVisible(chromedp.CSS(executeButton)))
	for scheme, want := range map[string]string{
		"light": "too faint: none, on rgb(246, 247, 250)",
		"dark":  "too faint: none, on rgb(28, 35, 51)",
	} {
		t.Run(scheme, func(t *testing.T) {
			b.Look(t, browsertest.View{Theme: scheme})
			for verdict, query := range map[string]string{
				"accepted":                     `query Seen { projects(first: 50) { nodes { client { name } } } }`,
				"COST_ESTIMATED_TOO_EXPENSIVE": `query Seen { projects(first: 100) { nodes { tasks(first: 100) { nodes { id } } } } }`,
			} {
				b.Wait(t, `(`+editor+".setValue(`"+query+"`), 'done')")
				b.Wait(t, `[document.querySelector('#price').innerText].find((text) => text.includes('`+verdict+`'))`)
				if seen := b.Wait(t, faint); !strings.HasSuffix(seen, want) {
					t.Errorf("%s: %s, want %s", verdict, seen, want)
				}
			}
			b.Shoot(t)
		})
	}
}
