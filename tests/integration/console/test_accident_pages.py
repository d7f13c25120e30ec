"""The pages of the ledger in a browser: entering beside the map, correcting, looking back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from console.pages import read_pages
from tests.integration.console.test_accidents import AT, correct, enter

if TYPE_CHECKING:
    from tests.integration.console.conftest import Client

pytestmark = pytest.mark.skipif(not read_pages().built, reason="the page is not built: run `make setup`")


async def test_an_accident_is_entered_beside_the_map(client: Client, browse: Any) -> None:
    opened = await browse(f"{client.address}/accidents")
    page = opened.page
    await expect(page.get_by_text("台账中没有登记，不等于没有事故")).to_be_visible()
    await page.get_by_role("link", name="登记事故").click()
    await page.get_by_label("事故编号").fill("JX-7")
    await page.get_by_label("日期", exact=True).fill(f"{AT:%Y-%m-%d}")
    await page.get_by_label("地点").fill("<b>中环南路</b>")
    await page.locator(".map").click(position={"x": 200, "y": 200})
    await expect(page.get_by_text(re.compile(r"已选：\d"))).to_be_visible()
    await page.get_by_label("车辆编号或车牌号（已建档）").fill("mx-none")
    await page.get_by_role("button", name="保存登记").click()
    await expect(page.locator("input[name=vehicle]:invalid")).to_be_visible()
    await page.get_by_label("车辆编号或车牌号（已建档）").fill("浙F00001")  # a plate will do
    await page.get_by_label("行驶状态").select_option("06")
    await page.get_by_role("button", name="增加伤亡人员").click()
    await page.get_by_label("伤害程度").select_option("dead")
    await page.get_by_label("死亡日期").fill("2020-01-01")
    await page.get_by_role("button", name="保存登记").click()
    await expect(page.locator(".form-said")).to_contain_text("早于事故发生时间")
    await page.get_by_label("死亡日期").fill(f"{AT:%Y-%m-%d}")
    await page.get_by_label("以上为全部伤亡人员").check()
    await page.get_by_role("button", name="保存登记").click()
    await expect(page).to_have_url(re.compile("/accidents/JX-7$"))
    await expect(page.locator(".page-head")).to_contain_text("<b>中环南路</b>")
    await expect(page.locator(".accident-parties").first).to_contain_text("右转弯")
    await expect(page.get_by_text("平台没有涉事车辆事故前后的定位数据")).to_be_visible()
    made = await client.get("/accidents/JX-7")
    assert made["vehicles"][0]["vehicle"] == "mx00001"
    assert (made["deaths_7d"], made["scopes"]["A3"], made["casualties_known"]) == ([1, 1], True, True)
    assert made["position"] is not None
    assert [one for one in opened.complaints if "400" not in one] == []


async def test_a_correction_and_what_was_known_before(client: Client, browse: Any) -> None:
    await enter(client)
    opened = await browse(f"{client.address}/accidents/JX-1/correction", language="en")
    page = opened.page
    await expect(page.get_by_label("Place", exact=True)).to_have_value("中环南路")
    await page.get_by_label("Responsibility").select_option("main")
    await correct(client, 1, place="东西大道")  # somebody else is faster
    await page.get_by_label("Why").fill("the finding of the police")
    await page.get_by_role("button", name="Record").click()
    await expect(page.locator(".form-said")).to_contain_text("Somebody else has recorded a version")
    await page.reload()
    await expect(page.get_by_label("Place", exact=True)).to_have_value("东西大道")
    await page.get_by_label("Responsibility").select_option("main")
    await page.get_by_label("Why").fill("the finding of the police")
    await page.get_by_role("button", name="Record").click()
    await expect(page.locator(".step").first).to_contain_text("finding of responsibility")
    await expect(page.locator(".scope")).to_have_text(["A1", "A2"])
    await page.get_by_role("link", name="look at it as of then").last.click()
    await expect(page.locator(".notice").first).to_contain_text("As recorded until")
    await expect(page.locator(".scope")).to_have_text(["A1", "A2?"])
    assert (await client.get("/accidents/JX-1"))["place"] == "东西大道"
